/** A field that searches while one types, after a rest. */

import { html, useEffect, useId, useRef, useSignal } from "../../../vendor/preact.js";
import { Icon } from "../../views/icons.js";

const REST_MS = 250;

/** @param {{ label: string, onSearch: (text: string) => void }} props */
export function SearchBox({ label, onSearch }) {
  const id = useId();
  const text = useSignal("");
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const typed = (/** @type {Event} */ event) => {
    text.value = /** @type {HTMLInputElement} */ (event.target).value;
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => onSearch(text.value.trim()), REST_MS);
  };
  return html`<div class="search" role="search">
    <label class="hidden" for=${id}>${label}</label>
    <${Icon} name="search" size=${18} />
    <input id=${id} type="search" placeholder=${label} maxlength="64" autocomplete="off" spellcheck=${false} value=${text.value} onInput=${typed} />
  </div>`;
}
