/** The person's own microphone and speaker, before and during a call. */

import { effect, signal } from "../vendor/preact.js";
import { meter } from "./meter.js";
import { faultOf, listDevices, obstacle, openMicrophone, stopStream } from "./microphone.js";
import { recall, remember } from "./preferences.js";

/** The live microphone; null while there is none. */
export const stream = signal(/** @type {MediaStream | null} */ (null));
export const fault = signal(/** @type {import("./text.js").MicrophoneFault | null} */ (null));
/** The browser is asking the person, or the device is being opened. */
export const asking = signal(false);
export const devices = signal(/** @type {import("./microphone.js").Devices} */ ({ microphones: [], speakers: [] }));
/** Chosen devices; "" is the browser's default. */
export const microphoneId = signal(recall("microphone"));
export const speakerId = signal(recall("speaker"));
/** 0..1 */
export const level = signal(0);

/** Counts openings, so that of two overlapping ones the later wins. */
let opening = 0;

/** Opens the chosen microphone in place of the present one; a failure is told by `fault`. */
export async function startMicrophone() {
  const ticket = ++opening;
  fault.value = obstacle();
  if (fault.value) return;
  asking.value = true;
  try {
    const opened = await openMicrophone(microphoneId.value);
    if (ticket === opening) adopt(opened);
    else stopStream(opened);
  } catch (error) {
    if (ticket === opening) lose(faultOf(error));
  } finally {
    if (ticket === opening) asking.value = false;
  }
  await refreshDevices();
}

/** @param {string} id "" for the browser's default */
export async function chooseMicrophone(id) {
  microphoneId.value = id;
  remember("microphone", id);
  await startMicrophone();
}

/** @param {string} id "" for the browser's default */
export function chooseSpeaker(id) {
  speakerId.value = id;
  remember("speaker", id);
}

/** Lets the microphone go: its light goes out. */
export function stopMicrophone() {
  opening += 1;
  asking.value = false;
  stopStream(stream.value);
  stream.value = null;
}

export async function refreshDevices() {
  devices.value = await listDevices().catch(() => ({ microphones: [], speakers: [] }));
}

/** Follows devices that come and go. Called once. */
export function watchDevices() {
  navigator.mediaDevices?.addEventListener?.("devicechange", async () => {
    await refreshDevices();
    const wanted = fault.value === "none" && devices.value.microphones.length > 0;
    if (wanted) await startMicrophone();
  });
  effect(() => {
    level.value = 0;
    return stream.value ? meter(stream.value, (value) => (level.value = value)) : undefined;
  });
}

/** @param {MediaStream} opened */
function adopt(opened) {
  const before = stream.value;
  const track = opened.getAudioTracks()[0];
  const used = track?.getSettings().deviceId;
  if (microphoneId.value && used) microphoneId.value = used;
  track?.addEventListener("ended", () => {
    // Unplugged, or taken back by the browser: whatever else is there takes its place.
    if (stream.value === opened) void startMicrophone();
  });
  stream.value = opened;
  stopStream(before);
}

/** @param {import("./text.js").MicrophoneFault} why */
function lose(why) {
  stopStream(stream.value);
  stream.value = null;
  fault.value = why;
}
