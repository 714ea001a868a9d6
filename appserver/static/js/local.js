/** The person's own microphone and speaker, before and during a call. */

import { effect, signal } from "../vendor/preact.js";
import { meter } from "./meter.js";
import { faultOf, listDevices, obstacle, openMicrophone, stopStream } from "./microphone.js";
import { recall, remember } from "./preferences.js";
import { toast } from "./store.js";
import { DEVICES } from "./texts/outage.js";

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
/** The microphone that was in use has gone, and no other is there. */
export const lost = signal(false);
/** The system gives nothing from the microphone, though it is open: switched off at the device, or taken by a telephone call. */
export const silent = signal(false);

/** Silence of the system that is not told: devices are silent for a moment when they change, ms. */
const SILENT_MS = 1500;

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
  lost.value = silent.value = false;
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
    else await returnToChosen();
    leaveGoneSpeaker();
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
    if (stream.value === opened) void replaceMicrophone();
  });
  if (track) followSilence(track);
  lost.value = false;
  stream.value = opened;
  stopStream(before);
}

/** Opens the microphone anew if it has ended without a word, as after a sleep. */
export function checkMicrophone() {
  const track = stream.value?.getAudioTracks()[0];
  if (track?.readyState === "ended") void replaceMicrophone();
}

/** Unplugged, or taken back by the browser: whatever else is there takes its place. */
async function replaceMicrophone() {
  await startMicrophone();
  lost.value = stream.value === null;
  if (stream.value) toast(DEVICES.switched(labelOf(stream.value)), "warning", "microphone");
}

/** The one that was chosen is plugged in again. */
async function returnToChosen() {
  const chosen = recall("microphone");
  const used = stream.value?.getAudioTracks()[0]?.getSettings().deviceId;
  if (!chosen || !used || used === chosen || !devices.value.microphones.some(({ id }) => id === chosen)) return;
  microphoneId.value = chosen;
  await startMicrophone();
  if (stream.value) toast(DEVICES.back(labelOf(stream.value)), "plain", "microphone");
}

/** A speaker that has gone: the default one is heard, until it is back. */
function leaveGoneSpeaker() {
  const chosen = recall("speaker");
  const there = devices.value.speakers.some(({ id }) => id === chosen);
  if (speakerId.value && !devices.value.speakers.some(({ id }) => id === speakerId.value)) {
    speakerId.value = "";
    toast(DEVICES.speakerGone, "warning", "speaker");
  } else if (chosen && there) speakerId.value = chosen;
}

/** @param {MediaStreamTrack} track */
function followSilence(track) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  silent.value = false;
  const ours = () => stream.value?.getAudioTracks()[0] === track;
  track.addEventListener("mute", () => (timer = setTimeout(() => (silent.value = ours() && track.muted), SILENT_MS)));
  track.addEventListener("unmute", () => {
    clearTimeout(timer);
    if (ours()) silent.value = false;
  });
}

/** @param {MediaStream} opened */
function labelOf(opened) {
  return opened.getAudioTracks()[0]?.label || "Microphone";
}

/** @param {import("./text.js").MicrophoneFault} why */
function lose(why) {
  stopStream(stream.value);
  stream.value = null;
  fault.value = why;
}
