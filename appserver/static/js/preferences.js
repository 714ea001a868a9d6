/** What this browser remembers for the next time. Storage may be switched off: then it forgets. */

/** @typedef {"name" | "microphone" | "speaker" | "letters"} Key */

const PREFIX = "confero.";

/** @param {Key} key @returns {string} "" if nothing is remembered */
export function recall(key) {
  try {
    return localStorage.getItem(PREFIX + key) ?? "";
  } catch {
    return "";
  }
}

/**
 * @param {Key} key
 * @param {string} value
 */
export function remember(key, value) {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {
    // Private windows and blocked storage: the page works all the same.
  }
}
