/** A switch with words of explanation. */

import { html, useId } from "../../vendor/preact.js";

/** @param {{ on: boolean, onChange: (on: boolean) => void, words: string, hint: string }} props */
export function Switch({ on, onChange, words, hint }) {
  const id = useId();
  const change = (/** @type {Event} */ event) => {
    const box = /** @type {HTMLInputElement} */ (event.target);
    onChange(box.checked);
    // What is shown is what the server says.
    box.checked = on;
  };
  return html`<div class="switch">
    <input id=${id} type="checkbox" role="switch" checked=${on} aria-describedby=${`${id}-hint`} onChange=${change} />
    <label for=${id}>${words}</label>
    <p class="hint" id=${`${id}-hint`}>${hint}</p>
  </div>`;
}
