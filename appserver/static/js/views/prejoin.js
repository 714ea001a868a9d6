/** Before joining: who am I, which microphone, which speaker. */

import { html, useEffect, useRef, useSignal, useSignalEffect } from "../../vendor/preact.js";
import { beginNetworkTest } from "../api.js";
import { peopleHere } from "../format.js";
import * as local from "../local.js";
import { invitationFor } from "../door.js";
import { rtcConfiguration } from "../media.js";
import { readSession } from "../request.js";
import { join, rememberedName } from "../screens.js";
import { ENDINGS } from "../text.js";
import { PIN_FAULTS } from "../texts/meeting.js";
import { Alert, Avatar, Masthead, useHeading } from "./common.js";
import { LevelBar, MicrophoneChoice, MicrophoneFault, SpeakerChoice } from "./devices.js";
import { Icon } from "./icons.js";
import { NetworkTest } from "./networktest.js";
import { PinField } from "./pinfield.js";

/** @param {{ room: import("../wire.js").RoomInfo, problem: import("../text.js").EndReason | null, joining: boolean }} props */
export function Prejoin({ room, problem, joining }) {
  const heading = useHeading(`Join ${room.name}`);
  const name = useSignal(rememberedName());
  const missing = useSignal(false);
  const silent = useSignal(false);
  const pin = useSignal("");
  const place = placeByAccount(room);
  const pinFault = problem !== null && PIN_FAULTS.has(problem);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (!name.peek()) input.current?.focus();
    // Whoever is signed in has a name already; without an answer it is typed.
    readSession().then(({ user }) => (name.value ||= user?.display_name ?? ""), () => {});
  }, []);
  const live = local.stream.value !== null;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    missing.value = name.value.trim() === "";
    if (missing.value) return input.current?.focus();
    return void join(name.value.trim(), silent.value || !(live || local.asking.value), pin.value);
  };
  return html`<div class="page">
    <${Masthead} />
    <main class="prejoin">
      <${Preview} name=${name.value} silent=${silent} />
      <form class="card prejoin-form" onSubmit=${submit} novalidate>
        <p class="eyebrow">${peopleHere(room.participants)}</p>
        <h1 ref=${heading} tabindex="-1">${room.name}</h1>
        ${problem && !pinFault && html`<${Alert} tone="danger" title=${ENDINGS[problem].title} detail=${ENDINGS[problem].detail} />`}
        <div class="field">
          <label for="display-name">Your name</label>
          <input id="display-name" ref=${input} type="text" maxlength="64" autocomplete="name" required value=${name.value}
            placeholder="How others see you" aria-invalid=${missing.value} aria-describedby=${missing.value ? "name-missing" : undefined}
            onInput=${(/** @type {InputEvent} */ event) => {
              name.value = /** @type {HTMLInputElement} */ (event.target).value;
              missing.value = false;
            }} />
          ${missing.value && html`<p class="field-error" id="name-missing" role="alert">Enter a name, so that others know who talks.</p>`}
        </div>
        ${(!place || pinFault) && html`<${PinField} pin=${pin} needed=${(room.pin_needed && !invitationFor(room.id)) || pinFault} fault=${pinFault ? ENDINGS[problem] : null} />`}
        ${place && html`<p class="door-words"><${Icon} name=${place === "host" ? "star" : "door"} size=${18} />${place === "host" ? "You come in as a host." : "You are a member of this room: come in."}</p>`}
        ${!place && (room.lobby || room.locked || room.host_first) && html`<${DoorWords} room=${room} />`}
        <${MicrophoneFault} />
        <${MicrophoneChoice} />
        <${SpeakerChoice} />
        <${NetworkTest} ice=${relaysToTry} />
        <button type="submit" class="button button-primary button-large" disabled=${joining}>
          ${joining ? "Joining…" : live || local.asking.value ? "Join the room" : "Join and listen"}
        </button>
      </form>
    </main>
  </div>`;
}

/**
 * What one is here by account: asked for nothing, and waits for nobody. Others are not told when the room was made.
 * @param {import("../wire.js").RoomInfo | import("../wire.js").RoomDetail} room
 * @returns {"host" | "member" | null}
 */
function placeByAccount(room) {
  if (!("created_at" in room)) return null;
  return room.mine === "guest" ? "member" : "host";
}

/** @returns {Promise<RTCConfiguration>} as a call would have it */
async function relaysToTry() {
  return rtcConfiguration(await beginNetworkTest());
}

/** What awaits a guest at this room's door. @param {{ room: import("../wire.js").RoomInfo }} props */
function DoorWords({ room }) {
  if (room.locked) return html`<p class="door-words"><${Icon} name="lock" size=${18} />The room is locked: only hosts and members come in.</p>`;
  if (room.lobby) return html`<p class="door-words"><${Icon} name="door" size=${18} />Guests wait here until a host lets them in.</p>`;
  return html`<p class="door-words"><${Icon} name="door" size=${18} />The meeting begins when a host comes.</p>`;
}

/** How others will see and hear one. @param {{ name: string, silent: import("../../vendor/preact.js").Signal<boolean> }} props */
function Preview({ name, silent }) {
  const ring = useRef(/** @type {HTMLDivElement | null} */ (null));
  useSignalEffect(() => ring.current?.style.setProperty("--level", String(silent.value ? 0 : local.level.value)));
  const live = local.stream.value !== null;
  const off = silent.value || !live;
  const words = local.asking.value ? "Waiting for your microphone…" : !live ? "Listening only" : off ? "You join muted" : "Others will hear you";
  return html`<section class="preview" aria-label="Preview">
    <div class="voice voice-large" ref=${ring}><${Avatar} name=${name.trim() || "You"} /></div>
    <p class="preview-name" dir="auto">${name.trim() || "You"}</p>
    <div class="preview-level">
      <${LevelBar} />
      <p class="hint" role="status">${words}</p>
    </div>
    <button type="button" class="button preview-mic ${off ? "button-off" : ""}" disabled=${!live} onClick=${() => (silent.value = !silent.value)}>
      <${Icon} name=${off ? "mic-off" : "mic"} /><span>${off ? "Microphone off" : "Microphone on"}</span>
    </button>
  </section>`;
}
