/** A text that is to be copied: shown whole, with a button; where the page may not write to the clipboard it is selected. */

import { html, useId, useRef, useSignal } from "../../vendor/preact.js";
import { toast } from "../store.js";
import { Icon } from "./icons.js";

/** @param {{ label: string, text: string, what?: string, hint?: string }} props  `what` was copied, as it begins a sentence */
export function CopyField({ label, text, what = "Link", hint = "" }) {
  const id = useId();
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const copied = useSignal(false);
  const copy = async () => {
    copied.value = await copyText(text);
    if (copied.value) toast(`${what} copied`);
    else input.current?.select();
  };
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <div class="field-row">
      <input id=${id} ref=${input} type="text" readonly value=${text} />
      <button type="button" class="button button-primary" onClick=${copy}><${Icon} name=${copied.value ? "check" : "copy"} size=${18} />Copy<span class="hidden"> ${label}</span></button>
    </div>
    ${hint && html`<p class="hint">${hint}</p>`}
  </div>`;
}

/** @param {string} text @returns {Promise<boolean>} whether it is on the clipboard */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
