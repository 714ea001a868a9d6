/** A short sound with which a person tries the chosen speaker. */

import { audioContext } from "./meter.js";

const NOTES = [523.25, 783.99]; // Hz: C5, G5
const NOTE_S = 0.22;
const PEAK = 0.2;

/**
 * @param {string} speaker device id; "" for the default
 * @returns {Promise<void>} resolved when the sound has ended; rejected if it can't be played
 */
export async function playChime(speaker) {
  const context = audioContext();
  if (!context) return;
  await context.resume();
  const destination = context.createMediaStreamDestination();
  const element = new Audio();
  element.srcObject = destination.stream;
  if (speaker && "setSinkId" in element) await element.setSinkId(speaker);
  await element.play();
  const start = context.currentTime + 0.05;
  NOTES.forEach((frequency, index) => strike(context, destination, frequency, start + index * NOTE_S));
  await new Promise((resolve) => setTimeout(resolve, (NOTES.length + 1) * NOTE_S * 1000));
  element.pause();
  element.srcObject = null;
}

/**
 * @param {AudioContext} context
 * @param {AudioNode} destination
 * @param {number} frequency Hz
 * @param {number} at seconds of the context's time
 */
function strike(context, destination, frequency, at) {
  const tone = new OscillatorNode(context, { frequency });
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(PEAK, at + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.001, at + NOTE_S * 1.8);
  tone.connect(gain).connect(destination);
  tone.start(at);
  tone.stop(at + NOTE_S * 2);
}
