/** The room: people, controls, and the sound itself. */

import { html, useEffect, useRef, useSignal, useSignalEffect } from "../../vendor/preact.js";
import { elapsed } from "../format.js";
import * as local from "../local.js";
import { currentCall } from "../screens.js";
import { callsOut, everHeard, joinedAt, muted, playBlocked, remote, toast } from "../store.js";
import { people } from "../voice.js";
import { useHeading } from "./common.js";
import { Icon, Mark } from "./icons.js";
import { LinkBanner, LinkMark } from "./linkmark.js";
import { PeoplePanel, Stage } from "./people.js";
import { CallLines, Dialer, IncomingCall } from "./phone.js";
import { Invite, Settings } from "./settings.js";

/** @typedef {null | "settings" | "invite" | "dial"} Open */

/** From this width on the list of people stands beside the stage and is open at first. */
const WIDE = "(min-width: 75rem)";

/** @param {{ room: import("../wire.js").RoomInfo }} props */
export function Room({ room }) {
  const heading = useHeading(room.name);
  const listOpen = useSignal(matchMedia(WIDE).matches);
  const dialog = useSignal(/** @type {Open} */ (null));
  const close = () => (dialog.value = null);
  useMuteKey();
  const invite = () => copyLink(room.join_url).then((copied) => (copied ? toast("Link copied") : (dialog.value = "invite")));
  const toggleList = () => (listOpen.value = !listOpen.value);
  return html`<div class="room ${listOpen.value ? "with-people" : ""}">
    <header class="room-head">
      <${Mark} size=${24} />
      <h1 ref=${heading} tabindex="-1" dir="auto">${room.name}</h1>
      <${Clock} />
      <${LinkMark} />
    </header>
    <main class="room-main">
      <${LinkBanner} />
      <${PlayBanner} />
      <${CallLines} />
      <${Stage} onMore=${() => (listOpen.value = true)} />
      ${everHeard.value && people.value.size === 1 && html`<${Alone} onInvite=${invite} />`}
    </main>
    ${listOpen.value && html`<${PeoplePanel} onClose=${toggleList} />`}
    <${Controls} listOpen=${listOpen.value} onList=${toggleList} onInvite=${invite} onSettings=${() => (dialog.value = "settings")} onDial=${() => (dialog.value = "dial")} />
    ${dialog.value === "settings" && html`<${Settings} onClose=${close} />`}
    ${dialog.value === "invite" && html`<${Invite} link=${room.join_url} onClose=${close} />`}
    ${dialog.value === "dial" && html`<${Dialer} onClose=${close} />`}
    <${IncomingCall} />
    <${Sound} />
  </div>`;
}

/** @param {{ onInvite: () => void }} props */
function Alone({ onInvite }) {
  return html`<div class="alone">
    <p><strong>You are the only one here.</strong> Send the link to those whom you want to talk with.</p>
    <button type="button" class="button button-primary" onClick=${onInvite}><${Icon} name="link" />Copy the link</button>
  </div>`;
}

/** @param {{ listOpen: boolean, onList: () => void, onInvite: () => void, onSettings: () => void, onDial: () => void }} props */
function Controls({ listOpen, onList, onInvite, onSettings, onDial }) {
  const count = people.value.size;
  return html`<section class="controls" aria-label="Call controls">
    <${MicrophoneButton} />
    <button type="button" class="control" onClick=${onSettings}><${Icon} name="settings" size=${22} /><span>Settings</span></button>
    <button type="button" class="control" aria-pressed=${listOpen} onClick=${onList}>
      <${Icon} name="people" size=${22} /><span>People<span class="hidden">, ${count}</span></span><b class="badge" aria-hidden="true">${count}</b>
    </button>
    <button type="button" class="control" onClick=${onInvite}><${Icon} name="link" size=${22} /><span>Invite</span></button>
    ${callsOut.value && html`<button type="button" class="control" onClick=${onDial}><${Icon} name="phone" size=${22} /><span>Call</span></button>`}
    <button type="button" class="control control-leave" onClick=${() => currentCall()?.leave()}><${Icon} name="leave" size=${22} /><span>Leave</span></button>
  </section>`;
}

function MicrophoneButton() {
  const off = muted.value || local.stream.value === null;
  const words = local.asking.value ? "Opening…" : off ? "Unmute" : "Mute";
  return html`<button type="button" class="control control-mic ${off ? "is-off" : ""}" aria-keyshortcuts="M" onClick=${toggleMute}>
    <${Icon} name=${off ? "mic-off" : "mic"} size=${22} /><span>${words}</span>
  </button>
  <span class="hidden" role="status">${off ? "Microphone off" : "Microphone on"}</span>`;
}

/** Mutes or unmutes; without a microphone it asks for one first. */
async function toggleMute() {
  if (local.asking.value) return;
  if (!local.stream.value) await local.startMicrophone();
  if (local.stream.value) currentCall()?.setMuted(!muted.value);
  else toast("No microphone: see Settings", "warning");
}

/** M mutes and unmutes, unless it is typed into something or a dialog is open. */
function useMuteKey() {
  useEffect(() => {
    const press = (/** @type {KeyboardEvent} */ event) => {
      if (event.key.toLowerCase() !== "m" || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && event.target.closest("input, select, textarea, [contenteditable]")) return;
      if (document.querySelector("dialog[open]")) return;
      void toggleMute();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

function Clock() {
  const text = useSignal("0:00");
  useEffect(() => {
    const tick = () => (text.value = joinedAt.value ? elapsed((performance.now() - joinedAt.value) / 1000) : "0:00");
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, []);
  return html`<span class="clock" role="timer" aria-label="Time in the room">${text.value}</span>`;
}

/** Plays the mix on the chosen speaker. */
function Sound() {
  const element = useRef(/** @type {HTMLAudioElement | null} */ (null));
  useSignalEffect(() => {
    const audio = element.current;
    if (!audio) return;
    audio.srcObject = remote.value;
    if (remote.value) void play(audio);
  });
  useSignalEffect(() => {
    const speaker = local.speakerId.value;
    if (element.current && "setSinkId" in element.current) {
      // A speaker that has gone leaves the sound where it is.
      element.current.setSinkId(speaker).catch(() => {});
    }
  });
  return html`<audio id="remote-audio" ref=${element} autoplay playsinline></audio>`;
}

/** @param {HTMLAudioElement} audio */
async function play(audio) {
  try {
    await audio.play();
    playBlocked.value = false;
  } catch (error) {
    playBlocked.value = error instanceof DOMException && error.name === "NotAllowedError";
  }
}

function PlayBanner() {
  if (!playBlocked.value) return null;
  const hear = () => {
    const audio = document.querySelector("#remote-audio");
    if (audio instanceof HTMLAudioElement) void play(audio);
  };
  return html`<div class="banner banner-play" role="alert">
    <${Icon} name="speaker" />
    <p><strong>The browser holds the sound back</strong> until you ask for it.</p>
    <button type="button" class="button button-primary button-small" onClick=${hear}>Tap to hear</button>
  </div>`;
}

/**
 * @param {string} link
 * @returns {Promise<boolean>} whether it is on the clipboard
 */
async function copyLink(link) {
  try {
    await navigator.clipboard.writeText(link);
    return true;
  } catch {
    return false;
  }
}
