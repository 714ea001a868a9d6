/** How loud a local stream is, some twenty times a second while the page is visible. */

import { loudness } from "./format.js";

const EVERY_MS = 50;
/** A level falls by at most this much per reading, so that the eye can follow. */
const FALL = 0.12;

/** @type {AudioContext | null} one for the page: browsers allow few */
let shared = null;

/** @returns {AudioContext | null} null where there is no Web Audio */
export function audioContext() {
  if (!shared && typeof AudioContext === "function") shared = new AudioContext({ latencyHint: "interactive" });
  return shared;
}

/** Browsers start sound only after a gesture: wakes the context at the first one. */
export function wakeOnGesture() {
  const wake = () => void audioContext()?.resume();
  for (const type of ["pointerdown", "keydown"]) addEventListener(type, wake, { capture: true, passive: true });
}

/**
 * @param {Float32Array} samples
 * @returns {number} loudness 0..1 of their root mean square
 */
export function loudnessOf(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  return rms > 0 ? loudness(-20 * Math.log10(rms)) : 0;
}

/**
 * @param {MediaStream} stream
 * @param {(level: number) => void} tell 0..1
 * @returns {() => void} stops metering
 */
export function meter(stream, tell) {
  const context = audioContext();
  if (!context || stream.getAudioTracks().length === 0) return () => {};
  const source = context.createMediaStreamSource(stream);
  const analyser = context.createAnalyser();
  analyser.fftSize = 2048;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let level = 0;
  let last = 0;
  let frame = requestAnimationFrame(function read(now) {
    frame = requestAnimationFrame(read);
    if (now - last < EVERY_MS) return;
    last = now;
    analyser.getFloatTimeDomainData(samples);
    level = Math.max(loudnessOf(samples), level - FALL);
    tell(Math.round(level * 100) / 100);
  });
  return () => {
    cancelAnimationFrame(frame);
    source.disconnect();
  };
}
