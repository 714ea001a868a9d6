/** Something to be copied: a link, a key, a PIN. */

import { html, useId, useRef, useSignal } from "../../../vendor/preact.js";
import { COPY_WORDS } from "../../texts/account.js";
import { Icon } from "../../views/icons.js";

const SAID_MS = 2500;

/** @param {{ label: string, value: string, hint?: string }} props */
export function CopyField({ label, value, hint }) {
  const id = useId();
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <div class="field-row">
      <input id=${id} ref=${input} type="text" readonly value=${value} onFocus=${() => input.current?.select()} />
      <${CopyButton} value=${value} what=${label} onFail=${() => input.current?.select()} />
    </div>
    ${hint && html`<p class="hint">${hint}</p>`}
  </div>`;
}

/** @param {{ value: string, what: string, onFail?: () => void, small?: boolean }} props  `onFail`: the page may not write to the clipboard */
export function CopyButton({ value, what, onFail, small = false }) {
  const done = useSignal(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
      done.value = true;
      setTimeout(() => (done.value = false), SAID_MS);
    } catch {
      onFail?.();
    }
  };
  return html`<button type="button" class=${`button copy ${small ? "button-small" : ""}`} onClick=${copy}>
    <${Icon} name=${done.value ? "check" : "copy"} size=${18} /><span>${done.value ? COPY_WORDS.done : COPY_WORDS.copy}<span class="hidden"> ${what}</span></span>
    <span class="hidden" role="status">${done.value ? COPY_WORDS.said(what) : ""}</span>
  </button>`;
}
