/** Chooses the screen; toasts lie over all of them. */

import { html, useEffect, useRef } from "../../vendor/preact.js";
import { dismissToast, screen, toasts } from "../store.js";
import { Ended } from "./ended.js";
import { Home } from "./home.js";
import { Icon } from "./icons.js";
import { OutageBanner } from "./outage.js";
import { Prejoin } from "./prejoin.js";
import { Room } from "./room.js";
import { WaitingRoom } from "./waiting.js";

export function App() {
  return html`<${OutageBanner} /><${Screen} /><${Toasts} />`;
}

function Screen() {
  const shown = screen.value;
  switch (shown.name) {
    case "loading": return html`<main class="loading" aria-busy="true"><span class="spinner" aria-hidden="true"></span><p role="status">Opening…</p></main>`;
    case "home": return html`<${Home} />`;
    case "prejoin": return html`<${Prejoin} room=${shown.room} problem=${shown.problem} joining=${shown.joining} />`;
    case "waiting": return html`<${WaitingRoom} room=${shown.room} displayName=${shown.displayName} />`;
    case "call": return html`<${Room} key=${shown.room.id} room=${shown.room} />`;
    case "page": return html`<${shown.View} key=${`${shown.page} ${shown.props.id}`} ...${shown.props} />`;
    case "ended": return html`<${Ended} room=${shown.room} reason=${shown.reason} />`;
  }
}

/** In the top layer where the browser has popovers, and with a warning above the dialog that is open: what could not be done in it is seen. */
function Toasts() {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const newest = toasts.value.at(-1);
  useEffect(() => {
    const layer = box.current;
    if (!layer?.showPopover) return;
    if (newest?.tone === "warning" && layer.matches(":popover-open") && document.querySelector("dialog[open]")) layer.hidePopover();
    if (!layer.matches(":popover-open")) layer.showPopover();
  }, [newest?.id]);
  return html`<div class="toasts" ref=${box} popover="manual" role="log" aria-live="polite" aria-relevant="additions" aria-label="Notices">
    ${toasts.value.map(({ id, text, tone }) => html`<div key=${id} class="toast toast-${tone}">
      <span dir="auto">${text}</span>
      <button type="button" class="button button-round button-ghost" onClick=${() => dismissToast(id)}><${Icon} name="close" size=${16} /><span class="hidden">Dismiss</span></button>
    </div>`)}
  </div>`;
}
