/** Keys of a call: one table, from which the keys act and the dialog lists them. Who types by voice can switch the single letters off. */

import { signal, useEffect, useRef } from "../vendor/preact.js";
import { recall, remember } from "./preferences.js";

/** @typedef {"mute" | "hand" | "chat" | "people" | "help"} Shortcut */

/** Key, as it is written, and what it does. @type {Readonly<Record<Shortcut, readonly [string, string]>>} */
export const SHORTCUTS = Object.freeze({
  mute: ["M", "Mute or unmute"],
  hand: ["H", "Raise or lower your hand"],
  chat: ["C", "Open or close the chat"],
  people: ["P", "Open or close the list of people"],
  help: ["?", "Show these shortcuts"],
});

/** Keys that do more than one letter can, for the dialog. */
export const OTHER_KEYS = Object.freeze(/** @type {const} */ ([
  ["Space", "Speak while it is held, when you are muted"],
  ["Esc", "Close a dialog, the chat or the list"],
]));

/** Whether single letters act (WCAG 2.1.4 asks that this can be switched off). */
export const lettersAct = signal(recall("letters") !== "off");

/** @param {boolean} act */
export function letLettersAct(act) {
  lettersAct.value = act;
  remember("letters", act ? "" : "off");
}

/** @param {string} key of a KeyboardEvent @returns {Shortcut | null} */
export function shortcutOf(key) {
  const found = Object.entries(SHORTCUTS).find(([, [letter]]) => letter === key.toUpperCase());
  return found ? /** @type {Shortcut} */ (found[0]) : null;
}

/** @param {Record<Shortcut, () => void>} deeds  not while somebody types, nor while a dialog is open */
export function useShortcuts(deeds) {
  const latest = useRef(deeds);
  latest.current = deeds;
  useEffect(() => {
    const press = (/** @type {KeyboardEvent} */ event) => {
      const shortcut = shortcutOf(event.key);
      if (!shortcut || !isFree(event) || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
      if (!lettersAct.peek() && shortcut !== "help") return;
      event.preventDefault();
      latest.current[shortcut]();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

/** @param {KeyboardEvent} event @returns {boolean} whether it is for the call */
export function isFree(event) {
  if (event.target instanceof Element && event.target.closest("input, select, textarea, [contenteditable]")) return false;
  return !document.querySelector("dialog[open]");
}
