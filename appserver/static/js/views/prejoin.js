/** Before joining: who am I, which microphone, which speaker. */

import { html, useEffect, useRef, useSignal, useSignalEffect } from "../../vendor/preact.js";
import { peopleHere } from "../format.js";
import * as local from "../local.js";
import { join, rememberedName } from "../screens.js";
import { ENDINGS } from "../text.js";
import { Alert, Avatar, Masthead, useHeading } from "./common.js";
import { LevelBar, MicrophoneChoice, MicrophoneFault, SpeakerChoice } from "./devices.js";
import { Icon } from "./icons.js";

/** @param {{ room: import("../wire.js").RoomInfo, problem: import("../text.js").EndReason | null, joining: boolean }} props */
export function Prejoin({ room, problem, joining }) {
  const heading = useHeading(`Join ${room.name}`);
  const name = useSignal(rememberedName());
  const missing = useSignal(false);
  const silent = useSignal(false);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (!name.peek()) input.current?.focus();
  }, []);
  const live = local.stream.value !== null;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    missing.value = name.value.trim() === "";
    if (missing.value) return input.current?.focus();
    return void join(name.value.trim(), silent.value || !(live || local.asking.value));
  };
  return html`<div class="page">
    <${Masthead} />
    <main class="prejoin">
      <${Preview} name=${name.value} silent=${silent} />
      <form class="card prejoin-form" onSubmit=${submit} novalidate>
        <p class="eyebrow">${peopleHere(room.participants)}</p>
        <h1 ref=${heading} tabindex="-1">${room.name}</h1>
        ${problem && html`<${Alert} tone="danger" title=${ENDINGS[problem].title} detail=${ENDINGS[problem].detail} />`}
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
        <${MicrophoneFault} />
        <${MicrophoneChoice} />
        <${SpeakerChoice} />
        <button type="submit" class="button button-primary button-large" disabled=${joining}>
          ${joining ? "Joining…" : live || local.asking.value ? "Join the room" : "Join and listen"}
        </button>
      </form>
    </main>
  </div>`;
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
