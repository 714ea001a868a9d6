/** The sound of a telephone that rings, until it is stopped: made, not a file. */

import { audioContext } from "./meter.js";

const NOTES = [659.26, 830.61]; // Hz: E5, G sharp 5
/** A ring lasts this long and comes again after EVERY_S. */
const RING_S = 1.2;
const EVERY_S = 3;
/** How fast the two notes change. */
const TRILL_HZ = 12;
const PEAK = 0.16;

/** @returns {() => void} stops it */
export function startRinging() {
  const context = audioContext();
  if (!context) return () => {};
  void context.resume();
  const out = new GainNode(context, { gain: 1 });
  out.connect(context.destination);
  ring(context, out);
  const timer = setInterval(() => ring(context, out), EVERY_S * 1000);
  return () => {
    clearInterval(timer);
    out.disconnect();
  };
}

/**
 * @param {AudioContext} context
 * @param {AudioNode} out
 */
function ring(context, out) {
  const start = context.currentTime + 0.02;
  NOTES.forEach((frequency, index) => {
    const tone = new OscillatorNode(context, { frequency });
    const gain = new GainNode(context, { gain: 0 });
    for (let beat = index; beat < RING_S * TRILL_HZ; beat += NOTES.length) {
      const at = start + beat / TRILL_HZ;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(PEAK, at + 0.01);
      gain.gain.setTargetAtTime(0, at + 0.06, 0.01);
    }
    tone.connect(gain).connect(out);
    tone.start(start);
    tone.stop(start + RING_S + 0.2);
  });
}
