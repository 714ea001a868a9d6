/** Telephones: the dialog that dials, the keys during a call, the calls under way, and the call that rings. */

import { html, useEffect, useRef, useSignal } from "../../vendor/preact.js";
import { startRinging } from "../ringtone.js";
import { currentCall } from "../screens.js";
import { lines } from "../store.js";
import { callState, callerOf } from "../text.js";
import { Dialog } from "./dialog.js";
import { Icon } from "./icons.js";

/** Keys and the letters on them, row by row. */
const KEYS = [["1", ""], ["2", "ABC"], ["3", "DEF"], ["4", "GHI"], ["5", "JKL"], ["6", "MNO"], ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"], ["*", ""], ["0", "+"], ["#", ""]];
const NAMES = new Map([["*", "star"], ["#", "hash"]]);

/** @param {{ onKey: (key: string) => void }} props */
function Pad({ onKey }) {
  return html`<div class="pad" role="group" aria-label="Keys">
    ${KEYS.map(([key = "", letters]) => html`<button type="button" class="pad-key" onClick=${() => onKey(key)}>
      ${NAMES.has(key) ? html`<span aria-hidden="true">${key}</span><span class="hidden">${NAMES.get(key)}</span>` : html`<span>${key}</span>`}<small aria-hidden="true">${letters || "\u00a0"}</small>
    </button>`)}
  </div>`;
}

/** Somebody is called into the room. @param {{ onClose: () => void }} props */
export function Dialer({ onClose }) {
  const to = useSignal("");
  const fault = useSignal("");
  const busy = useSignal(false);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const call = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy.value) return;
    if (!to.value.trim()) return input.current?.focus();
    busy.value = true;
    fault.value = (await currentCall()?.phone.dial(to.value.trim())) ?? "";
    busy.value = false;
    if (!fault.value) onClose();
  };
  const change = (/** @type {string} */ text) => {
    to.value = text;
    fault.value = "";
  };
  return html`<${Dialog} title="Call somebody" onClose=${onClose}>
    <form class="dialer" onSubmit=${call} novalidate>
      <div class="field">
        <label for="dial-to">Telephone number or SIP address</label>
        <input id="dial-to" ref=${input} type="text" inputmode="tel" maxlength="256" autocomplete="off" autocapitalize="off" spellcheck=${false} autofocus
          value=${to.value} aria-invalid=${fault.value !== ""} aria-describedby=${fault.value ? "dial-fault" : undefined}
          onInput=${(/** @type {InputEvent} */ event) => change(/** @type {HTMLInputElement} */ (event.target).value)} />
        ${fault.value && html`<p class="field-error" id="dial-fault" role="alert">${fault.value}</p>`}
      </div>
      <${Pad} onKey=${(/** @type {string} */ key) => change(to.value + key)} />
      <button type="submit" class="button button-primary button-large" disabled=${busy.value}><${Icon} name="phone" />${busy.value ? "Calling…" : "Call"}</button>
    </form>
  <//>`;
}

/** Keys for a telephone that is in the room. @param {{ call: string, name: string, onClose: () => void }} props */
export function Keypad({ call, name, onClose }) {
  const pressed = useSignal("");
  const press = (/** @type {string} */ key) => {
    pressed.value = (pressed.value + key).slice(-24);
    void currentCall()?.phone.press(call, key);
  };
  const type = (/** @type {KeyboardEvent} */ event) => {
    if (/^[0-9*#]$/u.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) press(event.key);
  };
  return html`<${Dialog} title=${`Keys for ${name}`} onClose=${onClose}>
    <div onKeyDown=${type}>
      <p class="pressed" role="status" aria-label="Pressed">${pressed.value || "\u00a0"}</p>
      <${Pad} onKey=${press} />
    </div>
  <//>`;
}

/** The calls that this page has made or taken, while they are set up and for a while after their end. */
export function CallLines() {
  const shown = [...lines.value.calls.values()].map(({ event }) => event).filter(({ state }) => state !== "answered");
  return html`<div class="call-lines" role="status">
    ${shown.map((event) => html`<div key=${event.call} class="banner banner-call" data-call=${event.call} data-state=${event.state}>
      <${Icon} name="phone" />
      <p><strong dir="auto">${event.name}</strong> ${callState(event)}</p>
      ${event.state !== "ended" && html`<button type="button" class="button button-small" onClick=${() => currentCall()?.phone.hangUp(event.call)}>
        <${Icon} name="leave" size=${18} />Hang up<span class="hidden"> on ${event.name}</span>
      </button>`}
    </div>`)}
  </div>`;
}

/** The oldest call that rings: accept, be busy, decline. Escape answers nothing. */
export function IncomingCall() {
  const ring = lines.value.rings.values().next().value;
  return ring ? html`<${Incoming} key=${ring.event.call} event=${ring.event} />` : null;
}

/** @param {{ event: import("../wire.js").IncomingCallEvent }} props */
function Incoming({ event }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(startRinging, []);
  useEffect(() => {
    if (dialog.current && !dialog.current.open) dialog.current.showModal();
    return () => dialog.current?.close();
  }, []);
  const say = (/** @type {"accept" | "decline" | "busy"} */ action) => () => currentCall()?.phone.answer(event.call, action);
  const stay = (/** @type {Event} */ closing) => closing.preventDefault();
  const { title, detail } = callerOf(event);
  return html`<dialog ref=${dialog} class="dialog incoming" role="alertdialog" aria-labelledby="incoming-title" aria-describedby="incoming-detail" onCancel=${stay}>
    <div class="dialog-body">
      <span class="incoming-mark" aria-hidden="true"><${Icon} name="phone" size=${30} /></span>
      <h2 id="incoming-title" dir="auto">${title}</h2>
      <p id="incoming-detail">${detail}</p>
      ${event.user_data && html`<p class="incoming-data" dir="auto">${event.user_data}</p>`}
      <div class="incoming-answers">
        <button type="button" class="button button-primary button-large" autofocus onClick=${say("accept")}><${Icon} name="phone" />Accept</button>
        <button type="button" class="button button-large" onClick=${say("busy")}>I am busy</button>
        <button type="button" class="button button-large button-off" onClick=${say("decline")}><${Icon} name="leave" />Decline</button>
      </div>
    </div>
  </dialog>`;
}
