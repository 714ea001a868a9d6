/** Choosing a microphone and a speaker, with a live level and a test sound. */

import { html, useId, useRef, useSignal, useSignalEffect } from "../../vendor/preact.js";
import { playChime } from "../chime.js";
import * as local from "../local.js";
import { audioContext } from "../meter.js";
import { canChooseSpeaker } from "../microphone.js";
import { MICROPHONE_FAULTS } from "../text.js";
import { Alert } from "./common.js";
import { Icon } from "./icons.js";

/** @param {{ label: string, icon: string, devices: import("../microphone.js").Device[], chosen: string, onChoose: (id: string) => void, children?: unknown }} props */
function Choice({ label, icon, devices, chosen, onChoose, children }) {
  const id = useId();
  const known = devices.some((device) => device.id === chosen);
  const standard = devices.some((device) => device.id === "default");
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <div class="field-row">
      <span class="select"><${Icon} name=${icon} />
        <select id=${id} value=${known ? chosen : standard ? "default" : ""} disabled=${devices.length === 0}
          onChange=${(/** @type {Event} */ event) => onChoose(/** @type {HTMLSelectElement} */ (event.target).value)}>
          ${!standard && html`<option value="">${devices.length ? "Default" : "None available"}</option>`}
          ${devices.map((device) => html`<option key=${device.id} value=${device.id}>${device.label}</option>`)}
        </select>
        <${Icon} name="down" />
      </span>
      ${children}
    </div>
  </div>`;
}

export function MicrophoneChoice() {
  return html`<${Choice} label="Microphone" icon="mic" devices=${local.devices.value.microphones} chosen=${local.microphoneId.value}
    onChoose=${local.chooseMicrophone} />`;
}

/** Nothing where the browser has only one way out, or does not let pages choose. */
export function SpeakerChoice() {
  const testing = useSignal(false);
  if (!canChooseSpeaker() || local.devices.value.speakers.length === 0) return null;
  const test = async () => {
    testing.value = true;
    await playChime(local.speakerId.value).catch(() => {});
    testing.value = false;
  };
  return html`<${Choice} label="Speaker" icon="speaker" devices=${local.devices.value.speakers} chosen=${local.speakerId.value}
    onChoose=${local.chooseSpeaker}>
    <button type="button" class="button" disabled=${testing.value} onClick=${test}>Test</button>
  <//>`;
}

/** The own level as a bar. It is shown by the style alone: a number that changes 20 times a second helps no screen reader. */
export function LevelBar() {
  const bar = useRef(/** @type {HTMLDivElement | null} */ (null));
  const silent = useSignal(false);
  useSignalEffect(() => {
    bar.current?.style.setProperty("--level", String(local.level.value));
    silent.value = local.stream.value !== null && local.level.value === 0 && audioContext()?.state === "suspended";
  });
  return html`<div class="level-row">
    <div class="level" ref=${bar} role="img" aria-label="Microphone level"></div>
    ${silent.value && html`<p class="hint">Click anywhere to see your level.</p>`}
  </div>`;
}

/** Why there is no microphone, if there is none. */
export function MicrophoneFault() {
  const fault = local.fault.value;
  if (!fault) return null;
  const { title, detail, retry } = MICROPHONE_FAULTS[fault];
  return html`<${Alert} title=${title} detail=${detail} action=${retry ? "Try again" : null} onAction=${local.startMicrophone} />`;
}
