/** The people in the room: as tiles, and as a list for when there are many. */

import { html, useComputed, useLayoutEffect, useRef, useSignal, useSignalEffect } from "../../vendor/preact.js";
import { shownTiles } from "../roster.js";
import { callOf } from "../lines.js";
import { currentCall } from "../screens.js";
import { lines, me, view } from "../store.js";
import { fitTiles, GAP } from "../tiles.js";
import { isMuted, people, voiceOf } from "../voice.js";
import { Avatar } from "./common.js";
import { Icon } from "./icons.js";
import { Keypad } from "./phone.js";

/** @typedef {import("../wire.js").Participant} Participant */

/** Tiles on the stage; the others are in the list. */
const MAX_TILES = 24;

/** @param {{ onMore: () => void }} props */
export function Stage({ onMore }) {
  const { list, size } = useSize();
  const tiles = useComputed(() => {
    const crowded = people.value.size > MAX_TILES;
    return shownTiles(crowded ? view.value : { people: people.value, speakers: new Map() }, me.value, MAX_TILES);
  });
  const hidden = people.value.size - tiles.value.length;
  const fit = fitTiles(tiles.value.length + (hidden > 0 ? 1 : 0), size.width, size.height);
  const style = { "--width": `${fit.width}px`, "--height": `${fit.height}px`, "--face": `${fit.face}px`, "--gap": `${GAP}px` };
  return html`<ul class="stage ${fit.width < 190 ? "stage-small" : ""}" ref=${list} style=${style} tabindex=${fit.scrolls ? 0 : undefined} aria-label="People in the room">
    ${size.width > 0 && tiles.value.map((person) => html`<${Tile} key=${person.id} person=${person} />`)}
    ${hidden > 0 && html`<li class="tile tile-more"><button type="button" class="button" onClick=${onMore}>${hidden} more</button></li>`}
  </ul>`;
}

/** The inner size of a list, px; 0 until it is on the page. */
function useSize() {
  const list = useRef(/** @type {HTMLUListElement | null} */ (null));
  const size = useSignal({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return undefined;
    const measure = () => (size.value = { width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { list, size: size.value };
}

/** @param {{ person: Participant }} props */
function Tile({ person }) {
  const { ring, talking } = useVoice(person.id);
  const { muted, kind, role, state, name, own } = facts(person);
  return html`<li class="tile ${talking ? "is-talking" : ""} ${state ? "is-away" : ""}" data-participant=${person.id}>
    <div class="voice" ref=${ring}><${Avatar} name=${name} phone=${kind === "rtp"} /></div>
    <p class="tile-name">${marks({ muted, kind, role, talking })}<span class="name" dir="auto" title=${name}>${name}</span>${own && html`<span class="you">You</span>`}</p>
    ${state && html`<p class="tile-state">${state}</p>`}
  </li>`;
}

/** @param {{ onClose: () => void }} props */
export function PeoplePanel({ onClose }) {
  const keys = useSignal(/** @type {Participant | null} */ (null));
  const telephone = keys.value;
  return html`<aside class="people" aria-label="People">
    <div class="panel-head">
      <h2>People <span class="count">${people.value.size}</span></h2>
      <button type="button" class="button button-round button-ghost" onClick=${onClose}><${Icon} name="close" /><span class="hidden">Close the list</span></button>
    </div>
    <ul class="people-list" tabindex="0" aria-label="Everybody in the room">
      ${[...people.value.values()].map((person) => html`<${Row} key=${person.id} person=${person} onKeys=${() => (keys.value = person)} />`)}
    </ul>
    ${telephone && html`<${Keypad} call=${telephone.id} name=${telephone.display_name} onClose=${() => (keys.value = null)} />`}
  </aside>`;
}

/** @param {{ person: Participant, onKeys: () => void }} props */
function Row({ person, onKeys }) {
  const { ring, talking } = useVoice(person.id);
  const { muted, kind, role, state, name, own } = facts(person);
  return html`<li class="row ${talking ? "is-talking" : ""} ${state ? "is-away" : ""}">
    <div class="voice voice-small" ref=${ring}><${Avatar} name=${name} phone=${kind === "rtp"} /></div>
    <div class="row-words">
      <p class="row-name"><span class="name" dir="auto" title=${name}>${name}</span>${own && html`<span class="you">You</span>`}</p>
      ${state && html`<p class="row-state">${state}</p>`}
    </div>
    <p class="marks">${marks({ muted, kind, role, talking })}</p>
    ${kind === "rtp" && mayRule(person) && html`<${TelephoneButtons} person=${person} onKeys=${onKeys} />`}
  </li>`;
}

/** Hosts rule all telephones, others those that they have called or taken. @param {Participant} person */
function mayRule(person) {
  return people.value.get(me.value)?.role === "host" || callOf(lines.value, person.id) !== null;
}

/** @param {{ person: Participant, onKeys: () => void }} props */
function TelephoneButtons({ person, onKeys }) {
  const name = person.display_name;
  return html`<div class="row-buttons">
    <button type="button" class="button button-round button-ghost" onClick=${onKeys}><${Icon} name="keys" /><span class="hidden">Keys for ${name}</span></button>
    <button type="button" class="button button-round button-ghost" onClick=${() => currentCall()?.phone.hangUp(person.id)}><${Icon} name="leave" /><span class="hidden">Hang up on ${name}</span></button>
  </div>`;
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
  const states = { connecting: person.kind === "rtp" ? "Calling…" : "Joining…", disconnected: "Connection lost", connected: "" };
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
  return html`${role === "host" && html`<span class="mark mark-host"><${Icon} name="star" size=${18} /><span class="hidden">host</span></span>`}
    ${kind === "rtp" && html`<span class="mark mark-phone"><${Icon} name="phone" size=${18} /><span class="hidden">by phone</span></span>`}
    ${muted && html`<span class="mark mark-muted"><${Icon} name="mic-off" size=${18} /><span class="hidden">muted</span></span>`}
    ${talking && html`<span class="mark mark-talking"><${Bars} /><span class="hidden">talking</span></span>`}`;
}

function Bars() {
  return html`<span class="bars" aria-hidden="true"><i></i><i></i><i></i></span>`;
}
