/** That the server or its database is away, over every screen, until it is back. A call says by itself how its connection is. */

import { html } from "../../vendor/preact.js";
import { away, hurry, online } from "../health.js";
import { link, screen } from "../store.js";
import { OFFLINE, OUTAGES } from "../texts/outage.js";

export function OutageBanner() {
  const inCall = screen.value.name === "call";
  const shown = away.value && !(inCall && link.value === "reconnecting");
  const words = !shown ? null : online.value ? OUTAGES[away.value ?? "unreachable"] : OFFLINE;
  return html`<div class="outage" role="status">
    ${words && html`<div class="banner outage-banner">
      <span class="spinner" aria-hidden="true"></span>
      <p><strong>${words.title}</strong> ${words.detail}</p>
      <button type="button" class="button button-small" onClick=${hurry}>${words.action}</button>
    </div>`}
  </div>`;
}
