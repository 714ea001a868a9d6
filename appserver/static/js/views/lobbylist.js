/** Who waits at the door, for hosts: at the head of the list of people. */

import { html } from "../../vendor/preact.js";
import { currentCall } from "../screens.js";
import { meeting } from "../store.js";
import { Avatar } from "./common.js";
import { Icon } from "./icons.js";

/** The row goes: the focus goes on to the next one, or to the head of the list. @param {Event} event */
function passFocus(event) {
  const row = event.target instanceof Element ? event.target.closest("li") : null;
  const next = row?.nextElementSibling ?? row?.previousElementSibling;
  const place = next?.querySelector("button") ?? row?.closest(".panel")?.querySelector("h2");
  if (place instanceof HTMLElement) place.focus();
}

export function LobbyList() {
  const waiting = meeting.value.lobby;
  if (waiting.length === 0) return null;
  return html`<section class="lobby" aria-labelledby="lobby-title">
    <div class="lobby-head">
      <h3 id="lobby-title">Waiting <span class="count">${waiting.length}</span></h3>
      ${waiting.length > 1 && html`<button type="button" class="button button-small" onClick=${() => currentCall()?.meeting.admitAll()}>Let all in</button>`}
    </div>
    <ul class="lobby-list">
      ${waiting.map((one) => html`<li key=${one.participant} class="row">
        <div class="voice voice-small"><${Avatar} name=${one.display_name} phone=${one.kind === "rtp"} /></div>
        <p class="row-words name" dir="auto" title=${one.display_name}>${one.display_name}</p>
        <div class="row-buttons">
          <button type="button" class="button button-small button-primary" onClick=${(/** @type {Event} */ event) => { passFocus(event); currentCall()?.meeting.admit(one.participant); }}>Let in<span class="hidden"> ${one.display_name}</span></button>
          <button type="button" class="button button-round button-ghost" onClick=${(/** @type {Event} */ event) => { passFocus(event); currentCall()?.meeting.refuse(one.participant); }}><${Icon} name="close" /><span class="hidden">Send away ${one.display_name}</span></button>
        </div>
      </li>`)}
    </ul>
  </section>`;
}
