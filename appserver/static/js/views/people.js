/** The people in the room as tiles, and what is shown of one person. */

import { html, useComputed, useLayoutEffect, useRef, useSignal, useSignalEffect } from "../../vendor/preact.js";
import { shownTiles } from "../roster.js";
import { handOf } from "../meetingstate.js";
import { me, meeting, view } from "../store.js";
import { fitTiles, GAP, tilesSeen } from "../tiles.js";
import { isMuted, people, voiceOf } from "../voice.js";
import { Avatar } from "./common.js";
import { Icon } from "./icons.js";

/** @typedef {import("../wire.js").Participant} Participant */

/** Tiles on the stage at most, however large it is; the others are in the list. */
const MAX_TILES = 25;
/** Of the stage's height, for whoever is in the spotlight; on a phone the others need more. */
const LIT_SHARE = Object.freeze({ wide: 0.56, narrow: 0.42 });
const NARROW = 480;

/** @param {{ onMore: () => void }} props */
export function Stage({ onMore }) {
  const { list, size } = useSize();
  const lit = people.value.has(meeting.value.state.spotlight ?? "") ? meeting.value.state.spotlight : null;
  const lower = lit && people.value.size > 1 ? size.height * (1 - litShare(size.width)) - GAP : size.height;
  const tiles = seenTiles(tilesSeen(size.width, lower, MAX_TILES) + (lit ? 1 : 0), lit);
  const hidden = people.value.size - tiles.length;
  const rest = tiles.length + (hidden > 0 ? 1 : 0) - (lit ? 1 : 0);
  const fit = fitTiles(rest, size.width, lower);
  const litFit = litStyle(size, rest > 0);
  const style = { "--width": `${fit.width}px`, "--height": `${fit.height}px`, "--face": `${fit.face}px`, "--gap": `${GAP}px` };
  return html`<ul class="stage ${fit.width < 190 ? "stage-small" : ""}" ref=${list} style=${style} tabindex=${fit.scrolls ? 0 : undefined} aria-label="People in the room">
    ${size.width > 0 && tiles.map((person) => html`<${Tile} key=${person.id} person=${person} style=${person.id === lit ? litFit : undefined} />`)}
    ${hidden > 0 && html`<li class="tile tile-more"><button type="button" class="button" onClick=${onMore}>${hidden} more</button></li>`}
  </ul>`;
}

/**
 * Who has a tile: whoever talks comes before who is silent when not all have one, and the spotlight is first.
 * @param {number} places of which one says how many more there are
 * @param {string | null} lit
 * @returns {readonly Participant[]}
 */
function seenTiles(places, lit) {
  const crowded = people.value.size > places;
  const found = shownTiles(crowded ? view.value : { people: people.value, speakers: new Map() }, me.value, crowded ? places - 1 : places);
  const bright = lit && people.value.get(lit);
  if (!bright) return found;
  const others = found.filter((one) => one.id !== lit);
  return [bright, ...(others.length < found.length ? others : others.slice(0, -1))];
}

/** The spotlight: as wide as the stage, above the others. @param {{ width: number, height: number }} size @param {boolean} shared */
function litStyle({ width, height }, shared) {
  const tall = shared ? Math.floor(height * litShare(width)) : height;
  return { "--width": `${width}px`, "--height": `${tall}px`, "--face": `${Math.round(Math.min(180, Math.max(48, tall * 0.42)))}px` };
}

/** @param {number} width of the stage, px */
function litShare(width) {
  return width < NARROW ? LIT_SHARE.narrow : LIT_SHARE.wide;
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

/** @param {{ person: Participant, style?: Record<string, string> }} props  `style`: of whoever is in the spotlight */
function Tile({ person, style }) {
  const { ring, talking } = useVoice(person.id);
  const { muted, kind, role, state, name, own, hand } = facts(person);
  return html`<li class="tile ${talking ? "is-talking" : ""} ${state ? "is-away" : ""} ${style ? "is-lit" : ""}" style=${style} data-participant=${person.id}>
    ${style && html`<p class="lit-mark"><${Icon} name="spot" size=${16} />Spotlight</p>`}
    ${hand > 0 && html`<${HandMark} place=${hand} />`}
    <div class="voice" ref=${ring}><${Avatar} name=${name} phone=${kind === "rtp"} /></div>
    <p class="tile-name">${marks({ muted, kind, role, talking })}<span class="name" dir="auto" title=${name}>${name}</span>${own && html`<span class="you">You</span>`}</p>
    ${state && html`<p class="tile-state">${state}</p>`}
  </li>`;
}

/**
 * The voice of a person: the ring follows it past the renderer, because it changes many times a second.
 * @param {string} id
 */
export function useVoice(id) {
  const ring = useRef(/** @type {HTMLDivElement | null} */ (null));
  const talking = useComputed(() => voiceOf(id) > 0);
  useSignalEffect(() => ring.current?.style.setProperty("--level", String(voiceOf(id))));
  return { ring, talking: talking.value };
}

/** @param {Participant} person */
export function facts(person) {
  const states = { connecting: person.kind === "rtp" ? "Calling…" : "Joining…", disconnected: "Connection lost", connected: "" };
  return {
    name: person.display_name,
    own: person.id === me.value,
    muted: isMuted(person),
    kind: person.kind,
    role: person.role,
    held: mayNotSpeak(person),
    hand: handOf(meeting.value.state, person.id),
    state: person.id === me.value ? "" : states[person.state],
  };
}

/** With speaking on request: a guest who has not been let. @param {Participant} person */
function mayNotSpeak(person) {
  const { speak, speakers } = meeting.value.state;
  return speak === "request" && person.role !== "host" && !speakers.includes(person.id);
}

/** A raised hand, and its place among those who raise one. @param {{ place: number }} props */
export function HandMark({ place }) {
  return html`<span class="hand-mark"><${Icon} name="hand" size=${18} /><span aria-hidden="true">${place}</span><span class="hidden">hand raised, number ${place}</span></span>`;
}

/** @param {{ muted: boolean, kind: string, role: string, talking: boolean }} facts */
export function marks({ muted, kind, role, talking }) {
  return html`${role === "host" && html`<span class="mark mark-host"><${Icon} name="star" size=${18} /><span class="hidden">host</span></span>`}
    ${kind === "rtp" && html`<span class="mark mark-phone"><${Icon} name="phone" size=${18} /><span class="hidden">by phone</span></span>`}
    ${muted && html`<span class="mark mark-muted"><${Icon} name="mic-off" size=${18} /><span class="hidden">muted</span></span>`}
    ${talking && html`<span class="mark mark-talking"><${Bars} /><span class="hidden">talking</span></span>`}`;
}

function Bars() {
  return html`<span class="bars" aria-hidden="true"><i></i><i></i><i></i></span>`;
}
