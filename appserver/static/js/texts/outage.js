/** What is said while the server, its database or the network is away, and when a device is. */

/** @typedef {{ title: string, detail: string, action: string }} OutageWords */

/** @type {Readonly<Record<import("../outage.js").Outage, OutageWords>>} */
export const OUTAGES = Object.freeze({
  "database-down": { title: "The database can't be reached.", detail: "Meetings go on, and nothing is lost. This page tries again by itself.", action: "Try now" },
  unreachable: { title: "The server can't be reached.", detail: "This page tries again by itself.", action: "Try now" },
});

export const OFFLINE = Object.freeze({ title: "You are offline.", detail: "This page goes on by itself when the network is back.", action: "Try now" });

/** In a call. */
export const CALL_OFFLINE = "You are offline. The call goes on by itself when the network is back.";
export const WOKEN = "The computer was asleep. Connecting again…";

export const DEVICES = Object.freeze({
  switched: (/** @type {string} */ label) => `Your microphone is gone. Now you are heard through “${label}”.`,
  back: (/** @type {string} */ label) => `“${label}” is back and in use again.`,
  speakerGone: "Your speaker is gone. You hear through the default one now.",
  lost: Object.freeze({ title: "Your microphone is gone.", detail: "Plug it in again or choose another one: it is picked up by itself." }),
  silent: Object.freeze({ title: "Your microphone gives no sound.", detail: "It may be switched off, or the system may have taken it for something else." }),
});
