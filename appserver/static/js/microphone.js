/** Opening microphones, and what the browser's many errors about them mean. */

/** @typedef {import("./text.js").MicrophoneFault} MicrophoneFault */
/** @typedef {{ id: string, label: string }} Device */
/** @typedef {{ microphones: Device[], speakers: Device[] }} Devices */

/** @type {Readonly<Record<string, MicrophoneFault>>} name of the DOMException -> fault (Media Capture and Streams, 10.2) */
const FAULTS = Object.freeze({
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "none",
  OverconstrainedError: "none",
  NotReadableError: "busy",
  AbortError: "busy",
});

/** @param {unknown} error of getUserMedia @returns {MicrophoneFault} */
export function faultOf(error) {
  return (error instanceof Error ? FAULTS[error.name] : undefined) ?? "failed";
}

/** @returns {MicrophoneFault | null} why this page can't have any microphone */
export function obstacle() {
  if (!globalThis.isSecureContext) return "insecure";
  return typeof navigator.mediaDevices?.getUserMedia === "function" ? null : "unsupported";
}

/** True if the page was opened with `?test-audio=raw`: no echo canceller, noise suppressor or gain control in the way of test tones. */
export function rawWanted() {
  return new URLSearchParams(location.search).get("test-audio") === "raw";
}

/**
 * @param {string} deviceId wanted; "" for the browser's default
 * @returns {Promise<MediaStream>} with one live track. A device that has gone is replaced by the default one.
 */
export async function openMicrophone(deviceId) {
  const processing = !rawWanted();
  const audio = { echoCancellation: processing, noiseSuppression: processing, autoGainControl: processing };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: deviceId ? { ...audio, deviceId: { exact: deviceId } } : audio });
  } catch (error) {
    if (!deviceId || faultOf(error) !== "none") throw error;
    return navigator.mediaDevices.getUserMedia({ audio });
  }
}

/** @returns {Promise<Devices>} labels are empty until a microphone was allowed, so they are made up */
export async function listDevices() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return { microphones: named(all, "audioinput", "Microphone"), speakers: canChooseSpeaker() ? named(all, "audiooutput", "Speaker") : [] };
}

/** True where an audio element can be given a speaker. */
export function canChooseSpeaker() {
  return "setSinkId" in HTMLMediaElement.prototype;
}

/**
 * @param {MediaDeviceInfo[]} all
 * @param {MediaDeviceKind} kind
 * @param {string} fallback
 * @returns {Device[]}
 */
function named(all, kind, fallback) {
  const devices = all.filter((device) => device.kind === kind && device.deviceId && device.deviceId !== "communications");
  return devices.map((device, index) => ({ id: device.deviceId, label: device.label || `${fallback} ${index + 1}` }));
}

/** @param {MediaStream | null} stream */
export function stopStream(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
