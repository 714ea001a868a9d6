/** Everybody in the room as a list, with those who wait before it and what hosts can do with each. */

import { html, useSignal } from "../../vendor/preact.js";
import { callOf } from "../lines.js";
import { handOf } from "../meetingstate.js";
import { currentCall } from "../screens.js";
import { isHost, lines, me, meeting } from "../store.js";
import { people } from "../voice.js";
import { Avatar } from "./common.js";
import { onEscape } from "./dialog.js";
import { Icon } from "./icons.js";
import { LobbyList } from "./lobbylist.js";
import { facts, HandMark, marks, useVoice } from "./people.js";
import { PersonMenu } from "./personmenu.js";
import { Keypad } from "./phone.js";

/** @typedef {import("../wire.js").Participant} Participant */

/** @param {{ onClose: () => void }} props */
export function PeoplePanel({ onClose }) {
  const keys = useSignal(/** @type {Participant | null} */ (null));
  const chosen = useSignal("");
  const telephone = keys.value;
  const person = people.value.get(chosen.value);
  return html`<aside class="panel people" aria-label="People" onKeyDown=${onEscape(onClose)}>
    <div class="panel-head">
      <h2 tabindex="-1">People <span class="count">${people.value.size}</span></h2>
      <button type="button" class="button button-round button-ghost" onClick=${onClose}><${Icon} name="close" /><span class="hidden">Close the list</span></button>
    </div>
    <${LobbyList} />
    <ul class="people-list" tabindex="0" aria-label="Everybody in the room">
      ${ordered().map((one) => html`<${Row} key=${one.id} person=${one} onKeys=${() => (keys.value = one)} onMenu=${() => (chosen.value = one.id)} />`)}
    </ul>
    ${person && html`<${PersonMenu} key=${person.id} person=${person} onClose=${() => (chosen.value = "")} />`}
    ${telephone && html`<${Keypad} call=${telephone.id} name=${telephone.display_name} onClose=${() => (keys.value = null)} />`}
  </aside>`;
}

/** Raised hands first, in their order; else as they came. @returns {Participant[]} */
function ordered() {
  const { state } = meeting.value;
  const raised = state.hands.flatMap(({ participant }) => people.value.get(participant) ?? []);
  const others = [...people.value.values()].filter((one) => !handOf(state, one.id));
  return [...raised, ...others];
}

/** @param {{ person: Participant, onKeys: () => void, onMenu: () => void }} props */
function Row({ person, onKeys, onMenu }) {
  const { ring, talking } = useVoice(person.id);
  const { muted, kind, role, state, name, own, hand, held } = facts(person);
  const words = [own && "You", role === "host" && "Host", kind === "rtp" && "By phone", state || (held && "Listens")].filter(Boolean);
  return html`<li class="row ${talking ? "is-talking" : ""} ${state ? "is-away" : ""}">
    <div class="voice voice-small" ref=${ring}><${Avatar} name=${name} phone=${kind === "rtp"} /></div>
    <div class="row-words">
      <p class="row-name"><span class="name" dir="auto" title=${name}>${name}</span></p>
      ${words.length > 0 && html`<p class="row-state">${words.join(" · ")}</p>`}
    </div>
    ${hand > 0 && html`<${HandMark} place=${hand} />`}
    <p class="marks">${marks({ muted, kind: "", role: "", talking })}</p>
    ${isHost.value && html`<button type="button" class="button button-round button-ghost row-menu" onClick=${onMenu}><${Icon} name="more" /><span class="hidden">Actions for ${name}</span></button>`}
    ${kind === "rtp" && mayRule(person) && html`<${TelephoneButtons} person=${person} onKeys=${onKeys} />`}
  </li>`;
}

/** Hosts rule all telephones, others those that they have called or taken. @param {Participant} person */
function mayRule(person) {
  return isHost.value || people.value.get(me.value)?.role === "host" || callOf(lines.value, person.id) !== null;
}

/** @param {{ person: Participant, onKeys: () => void }} props */
function TelephoneButtons({ person, onKeys }) {
  const name = person.display_name;
  return html`<div class="row-buttons row-telephone">
    <button type="button" class="button button-small" onClick=${onKeys}><${Icon} name="keys" size=${18} />Keys<span class="hidden"> for ${name}</span></button>
    <button type="button" class="button button-small" onClick=${() => currentCall()?.phone.hangUp(person.id)}><${Icon} name="leave" size=${18} />Hang up<span class="hidden"> on ${name}</span></button>
  </div>`;
}
