/** Choosing a microphone and a speaker, with a live level and a test sound. */

import { html, useEffect, useId, useRef, useSignal, useSignalEffect } from "../../vendor/preact.js";
import { playChime } from "../chime.js";
import * as local from "../local.js";
import { audioContext } from "../meter.js";
import { canChooseSpeaker } from "../microphone.js";
import { canRecord, recordAndPlay } from "../recording.js";
import { toast } from "../store.js";
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
    onChoose=${local.chooseMicrophone}>${canRecord() && local.stream.value && html`<${HearYourself} stream=${local.stream.value} />`}<//>`;
}

/** @type {Readonly<Record<"" | "speak" | "listen", readonly [string, string]>>} phase -> words of the button, and what is to be done */
const PHASES = Object.freeze({ "": ["Test", ""], speak: ["Speak…", "Say something: it is played to you in a moment."], listen: ["Listen…", "That is how others hear you."] });

/** One's own voice, recorded and played. @param {{ stream: MediaStream }} props */
function HearYourself({ stream }) {
  const phase = useSignal(/** @type {"" | "speak" | "listen"} */ (""));
  const stop = useRef(/** @type {AbortController | null} */ (null));
  useEffect(() => () => stop.current?.abort(), [stream]);
  const test = async () => {
    if (phase.peek()) return stop.current?.abort();
    stop.current = new AbortController();
    const { signal } = stop.current;
    await recordAndPlay(stream, local.speakerId.peek(), signal, (now) => (phase.value = now)).catch(() => toast("The microphone could not be recorded", "warning"));
    phase.value = "";
  };
  const [words, told] = PHASES[phase.value];
  return html`<button type="button" class="button" aria-pressed=${phase.value !== ""} onClick=${test}>${words}<span class="hidden"> ${phase.value ? "" : "the microphone"}</span></button>
    <span class="hidden" role="status">${told}</span>`;
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
    <button type="button" class="button" disabled=${testing.value} onClick=${test}>Test<span class="hidden"> the speaker</span></button>
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
