/** Meetings that are going on. */

import { html } from "../../../vendor/preact.js";
import { pathOf } from "../../address.js";
import { LIVE_MS, useRefresh } from "../../refresh.js";
import { LIVE } from "../../texts/admin.js";
import { Link } from "../kit/frame.js";
import { Empty, Listing, usePages } from "../kit/load.js";
import { span } from "../kit/times.js";
import { listLive } from "../rest.js";

export function Live() {
  const pages = usePages(listLive);
  useRefresh(pages.refresh, LIVE_MS, ["live", "lobby"], false);
  return html`<${Listing} pages=${pages} empty=${html`<${Empty} icon="people" title=${LIVE.none} detail=${LIVE.noneDetail} />`}>
    <${Totals} rooms=${pages.items ?? []} />
    <ul class="entries entries-card">${pages.items?.map((one) => html`<li key=${one.room} class="entry">
      <div class="entry-text"><strong dir="auto"><${Link} to=${`/rooms/${encodeURIComponent(one.room)}`}>${one.room_name}<//></strong>
        <p class="hint">${[LIVE.people(one.participants), one.waiting ? LIVE.waiting(one.waiting) : "", one.started_at ? LIVE.since(span(Date.now() / 1000 - one.started_at)) : "", one.owner ? LIVE.owner(one.owner) : "", one.mcu ? LIVE.server(one.mcu) : ""].filter(Boolean).join(" · ")}</p></div>
      <${Link} to=${pathOf(one.room)} class="button button-small">${LIVE.join}<span class="hidden"> ${one.room_name}</span><//>
    </li>`)}</ul>
  <//>`;
}

/** @param {{ rooms: readonly import("../../wire.js").LiveRoom[] }} props */
function Totals({ rooms }) {
  const sum = (/** @type {"participants" | "waiting"} */ field) => rooms.reduce((total, one) => total + one[field], 0);
  const facts = [[LIVE.meetings, rooms.length], [LIVE.together, sum("participants")], [LIVE.lobbies, sum("waiting")]];
  return html`<dl class="facts totals">${facts.map(([term, count]) => html`<div key=${term}><dt>${term}</dt><dd>${count}</dd></div>`)}</dl>`;
}
