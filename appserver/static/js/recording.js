/** A person's own voice as others get it: a few seconds of the microphone, then the same from the chosen speaker. */

/** How long one speaks, ms. */
export const SPEAK_MS = 3000;

/** Whether this browser can. */
export function canRecord() {
  return typeof MediaRecorder === "function";
}

/**
 * @param {MediaStream} stream of the microphone; it is heard also while it is muted in a call
 * @param {string} speaker device id; "" for the default
 * @param {AbortSignal} stop ends it at once
 * @param {(phase: "speak" | "listen") => void} tell
 * @returns {Promise<void>} resolved at the end; rejected if it can't be recorded or played
 */
export async function recordAndPlay(stream, speaker, stop, tell) {
  const own = new MediaStream(stream.getAudioTracks().map((track) => track.clone()));
  for (const track of own.getTracks()) track.enabled = true;
  try {
    tell("speak");
    const voice = await record(own, stop);
    if (stop.aborted) return;
    tell("listen");
    await play(voice, speaker, stop);
  } finally {
    for (const track of own.getTracks()) track.stop();
  }
}

/** @param {MediaStream} stream @param {AbortSignal} stop @returns {Promise<Blob>} */
async function record(stream, stop) {
  const recorder = new MediaRecorder(stream);
  /** @type {Blob[]} */
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const ended = new Promise((resolve, reject) => {
    recorder.onstop = resolve;
    recorder.onerror = () => reject(new Error("not recorded"));
  });
  recorder.start();
  await pause(SPEAK_MS, stop);
  if (recorder.state !== "inactive") recorder.stop();
  await ended;
  return new Blob(parts, { type: recorder.mimeType });
}

/** @param {Blob} voice @param {string} speaker @param {AbortSignal} stop */
async function play(voice, speaker, stop) {
  const url = URL.createObjectURL(voice);
  const element = new Audio(url);
  try {
    if (speaker && "setSinkId" in element) await element.setSinkId(speaker);
    const ended = new Promise((resolve) => (element.onended = resolve));
    await element.play();
    await Promise.race([ended, pause(2 * SPEAK_MS, stop)]);
  } finally {
    element.pause();
    URL.revokeObjectURL(url);
  }
}

/** @param {number} ms @param {AbortSignal} stop */
function pause(ms, stop) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}
