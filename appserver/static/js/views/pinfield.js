/** The PIN at a room's door: of guests where one is needed, of hosts for those who have it. */

import { html, useEffect, useRef } from "../../vendor/preact.js";

/** @param {{ pin: import("../../vendor/preact.js").Signal<string>, needed: boolean, fault: import("../text.js").Message | null }} props */
export function PinField({ pin, needed, fault }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (!fault) return;
    input.current?.focus();
    input.current?.select();
  }, [fault]);
  const field = html`<div class="field">
    <label for="room-pin">PIN</label>
    <input id="room-pin" ref=${input} type="text" class="pin" inputmode="numeric" pattern="[0-9]*" maxlength="12" autocomplete="off" value=${pin.value}
      aria-invalid=${fault !== null} aria-describedby=${fault ? "pin-fault" : "pin-hint"}
      onInput=${(/** @type {InputEvent} */ event) => (pin.value = /** @type {HTMLInputElement} */ (event.target).value.replace(/\D/gu, ""))} />
    ${fault ? html`<p class="field-error" id="pin-fault" role="alert">${fault.title}. ${fault.detail}</p>` : html`<p class="hint" id="pin-hint">${needed ? "Of guests or of hosts. Members need none." : "With the hosts' PIN you come in as a host."}</p>`}
  </div>`;
  return needed ? field : html`<details class="more"><summary>I have a PIN</summary>${field}</details>`;
}
