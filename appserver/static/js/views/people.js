/** The people in the room: as tiles, and as a list for when there are many. */

import { html, useComputed, useRef, useSignalEffect } from "../../vendor/preact.js";
import { shownTiles } from "../roster.js";
import { me, view } from "../store.js";
import { isMuted, people, voiceOf } from "../voice.js";
import { Avatar } from "./common.js";
import { Icon } from "./icons.js";

/** @typedef {import("../wire.js").Participant} Participant */

/** Tiles on the stage; the others are in the list. */
const MAX_TILES = 24;

/** @param {{ onMore: () => void }} props */
export function Stage({ onMore }) {
  const tiles = useComputed(() => {
    const crowded = people.value.size > MAX_TILES;
    return shownTiles(crowded ? view.value : { people: people.value, speakers: new Map() }, me.value, MAX_TILES);
  });
  const hidden = people.value.size - tiles.value.length;
  const crowd = tiles.value.length > 12 ? "many" : tiles.value.length > 4 ? "some" : "few";
  return html`<ul class="stage stage-${crowd}" aria-label="People in the room">
    ${tiles.value.map((person) => html`<${Tile} key=${person.id} person=${person} />`)}
    ${hidden > 0 && html`<li class="tile tile-more"><button type="button" class="button" onClick=${onMore}>${hidden} more</button></li>`}
  </ul>`;
}

/** @param {{ person: Participant }} props */
function Tile({ person }) {
  const { ring, talking } = useVoice(person.id);
  const { muted, kind, role, state, name, own } = facts(person);
  return html`<li class="tile ${talking ? "is-talking" : ""} ${state ? "is-away" : ""}" data-participant=${person.id}>
    <div class="voice" ref=${ring}><${Avatar} name=${name} /></div>
    <p class="tile-name"><span class="name" dir="auto">${name}</span>${own && html`<span class="you">You</span>`}</p>
    ${state && html`<p class="tile-state">${state}</p>`}
    <p class="marks">${marks({ muted, kind, role, talking })}</p>
  </li>`;
}

/** @param {{ onClose: () => void }} props */
export function PeoplePanel({ onClose }) {
  return html`<aside class="people" aria-label="People">
    <div class="panel-head">
      <h2>People <span class="count">${people.value.size}</span></h2>
      <button type="button" class="button button-round button-ghost" onClick=${onClose}><${Icon} name="close" /><span class="hidden">Close the list</span></button>
    </div>
    <ul class="people-list">
      ${[...people.value.values()].map((person) => html`<${Row} key=${person.id} person=${person} />`)}
    </ul>
  </aside>`;
}

/** @param {{ person: Participant }} props */
function Row({ person }) {
  const { ring, talking } = useVoice(person.id);
  const { muted, kind, role, state, name, own } = facts(person);
  return html`<li class="row ${talking ? "is-talking" : ""} ${state ? "is-away" : ""}">
    <div class="voice voice-small" ref=${ring}><${Avatar} name=${name} /></div>
    <p class="row-name"><span class="name" dir="auto">${name}</span>${own && html`<span class="you">You</span>`}${state && html`<span class="row-state">${state}</span>`}</p>
    <p class="marks">${marks({ muted, kind, role, talking })}</p>
  </li>`;
}

/**
 * The voice of a person: the ring follows it past the renderer, because it changes many times a second.
 * @param {string} id
 */
function useVoice(id) {
  const ring = useRef(/** @type {HTMLDivElement | null} */ (null));
  const talking = useComputed(() => voiceOf(id) > 0);
  useSignalEffect(() => ring.current?.style.setProperty("--level", String(voiceOf(id))));
  return { ring, talking: talking.value };
}

/** @param {Participant} person */
function facts(person) {
  const states = { connecting: "Joining…", disconnected: "Connection lost…", connected: "" };
  return {
    name: person.display_name,
    own: person.id === me.value,
    muted: isMuted(person),
    kind: person.kind,
    role: person.role,
    state: person.id === me.value ? "" : states[person.state],
  };
}

/** @param {{ muted: boolean, kind: string, role: string, talking: boolean }} facts */
function marks({ muted, kind, role, talking }) {
  return html`
    ${role === "host" && html`<span class="mark mark-host"><${Icon} name="star" size=${16} /><span class="hidden">host</span></span>`}
    ${kind === "rtp" && html`<span class="mark mark-phone"><${Icon} name="phone" size=${16} /><span class="hidden">by phone</span></span>`}
    ${muted && html`<span class="mark mark-muted"><${Icon} name="mic-off" size=${16} /><span class="hidden">muted</span></span>`}
    ${talking && html`<span class="mark mark-talking"><${Bars} /><span class="hidden">talking</span></span>`}`;
}

function Bars() {
  return html`<span class="bars" aria-hidden="true"><i></i><i></i><i></i></span>`;
}
