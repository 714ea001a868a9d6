/** How the connection is: a small mark always, a banner when something is lost. */

import { html } from "../../vendor/preact.js";
import { currentCall } from "../screens.js";
import { online } from "../health.js";
import { link, phase, quality } from "../store.js";
import { CALL_OFFLINE } from "../texts/outage.js";

/** @type {Readonly<Record<import("../store.js").Link, { words: string, bars: number }>>} */
const LINKS = Object.freeze({
  connecting: { words: "Connecting…", bars: 0 },
  good: { words: "Good connection", bars: 3 },
  fair: { words: "Fair connection", bars: 2 },
  poor: { words: "Poor connection", bars: 1 },
  restoring: { words: "Restoring the sound…", bars: 0 },
  reconnecting: { words: "Reconnecting…", bars: 0 },
});

/** Opens the figures. @param {{ onOpen: () => void }} props */
export function LinkMark({ onOpen }) {
  const { words, bars } = LINKS[link.value];
  return html`<button type="button" class="linkmark linkmark-${link.value}" title=${details()} onClick=${onOpen}>
    <svg class="linkmark-bars" width="18" height="14" viewBox="0 0 18 14" aria-hidden="true" focusable="false">
      ${[0, 1, 2].map((index) => html`<rect class=${index < bars ? "on" : ""} x=${index * 6.5} y=${9 - index * 4.5} width="4.5" height=${5 + index * 4.5} rx="1.5" />`)}
    </svg>
    <span class="linkmark-words">${words}</span>
  </button>
  <span class="hidden" role="status">${words}</span>`;
}

/** @returns {string} the figures behind the mark */
export function details() {
  const now = quality.value;
  if (!now) return LINKS[link.value].words;
  const rtt = now.rtt === null ? "" : `${Math.round(now.rtt)} ms round trip, `;
  return `${rtt}${(now.loss * 100).toFixed(1)} % lost, ${Math.round(now.jitter)} ms jitter`;
}

/** What is lost and what is being done about it; nothing while all is well. */
export function LinkBanner() {
  if (!online.value && link.value !== "good") {
    return html`<div class="banner" role="status"><span class="spinner" aria-hidden="true"></span><p>${CALL_OFFLINE}</p></div>`;
  }
  if (link.value === "reconnecting") {
    const sound = phase.value === "connected" ? "You may still hear each other." : "";
    return html`<div class="banner" role="status">
      <span class="spinner" aria-hidden="true"></span>
      <p><strong>The server can't be reached.</strong> Trying again by itself. ${sound}</p>
      <button type="button" class="button button-small" onClick=${() => currentCall()?.wake()}>Try now</button>
    </div>`;
  }
  if (link.value !== "restoring") return null;
  return html`<div class="banner" role="status">
    <span class="spinner" aria-hidden="true"></span>
    <p><strong>The sound was interrupted.</strong> It is being restored.</p>
  </div>`;
}
