/** A soft knock: somebody has come to the lobby. */

import { audioContext } from "./meter.js";

const STROKES_S = [0, 0.16];
const HZ = 220;
const PEAK = 0.18;
/** Several who come together knock once. */
const REST_MS = 3000;

let last = -Infinity;

export function knock() {
  const context = audioContext();
  const now = performance.now();
  if (!context || context.state !== "running" || now - last < REST_MS) return;
  last = now;
  for (const after of STROKES_S) strike(context, context.currentTime + 0.02 + after);
}

/** @param {AudioContext} context @param {number} at seconds of the context's time */
function strike(context, at) {
  const tone = new OscillatorNode(context, { frequency: HZ, type: "triangle" });
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(PEAK, at + 0.005);
  gain.gain.exponentialRampToValueAtTime(0.001, at + 0.12);
  tone.connect(gain).connect(context.destination);
  tone.start(at);
  tone.stop(at + 0.15);
}
