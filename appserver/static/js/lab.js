/** `window.confero`: what tests and labs may read (docs/web-client.md). Nothing here changes anything. */

import { currentCall } from "./screens.js";
import * as local from "./local.js";
import * as store from "./store.js";

const COUNTS = Object.freeze({ offers: 0, restarts: 0, welcomes: 0, resumes: 0, renewals: 0 });

const hook = Object.freeze({
  /** "loading", "home", "prejoin", "waiting", "call" or "ended" */
  get screen() {
    return store.screen.value.name;
  },
  /** Why it ended; null unless the screen is "ended". */
  get reason() {
    return store.screen.value.name === "ended" ? store.screen.value.reason : null;
  },
  /** "connecting", "good", "fair", "poor", "restoring" or "reconnecting" */
  get state() {
    return store.link.value;
  },
  get participant() {
    return store.me.value;
  },
  get session() {
    return currentCall()?.id ?? null;
  },
  get leg() {
    return currentCall()?.leg ?? null;
  },
  /** Phase of the signalling session and of the media recovery. */
  get signalling() {
    return store.signalling.value;
  },
  get media() {
    return store.phase.value;
  },
  get muted() {
    return store.muted.value;
  },
  /** "live", "asking", "none" or a fault */
  get microphone() {
    if (local.stream.value) return "live";
    return local.asking.value ? "asking" : local.fault.value ?? "none";
  },
  /** Participants as the last event told, and loudness 0..1 of those who talk. */
  get roster() {
    return structuredClone([...store.view.value.people.values()]);
  },
  get speakers() {
    return Object.fromEntries(store.view.value.speakers);
  },
  /** The meeting's state, who waits as hosts are told, and the chat as far as it is known. */
  get meeting() {
    const { state, lobby, chat } = store.meeting.value;
    return structuredClone({ state, lobby, chat });
  },
  /** Offers, ICE restarts, welcomes, resumes and token renewals of this call. */
  get counts() {
    return { ...(currentCall()?.counts ?? COUNTS) };
  },
  /** The mix that is played. */
  get remoteStream() {
    return store.remote.value;
  },
  /** @returns {Promise<Array<Record<string, any>>>} RTCStats of the peer connection; empty if there is none */
  stats: () => currentCall()?.stats() ?? Promise.resolve([]),
});

export function exposeHook() {
  Object.defineProperty(window, "confero", { value: hook, enumerable: true });
}
