/** The sound of the room on the chosen speaker, and the wish for a gesture where the browser holds it back. */

import { html, useRef, useSignalEffect } from "../../vendor/preact.js";
import * as local from "../local.js";
import { playBlocked, remote } from "../store.js";
import { Icon } from "./icons.js";

/** Plays the mix on the chosen speaker. */
export function Sound() {
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

export function PlayBanner() {
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
