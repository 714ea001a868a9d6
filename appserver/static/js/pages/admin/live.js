/** Meetings that are going on. */

import { html } from "../../../vendor/preact.js";
import { pathOf } from "../../address.js";
import { LIVE } from "../../texts/admin.js";
import { Link } from "../kit/frame.js";
import { Empty, Listing, usePages } from "../kit/load.js";
import { span } from "../kit/times.js";
import { useRefresh } from "../kit/refresh.js";
import { listLive } from "../rest.js";

export function Live() {
  const pages = usePages(listLive);
  useRefresh(pages.reload);
  return html`<${Listing} pages=${pages} empty=${html`<${Empty} icon="people" title=${LIVE.none} detail=${LIVE.noneDetail} />`}>
    <ul class="entries entries-card">${pages.items?.map((one) => html`<li key=${one.room} class="entry">
      <div class="entry-text"><strong dir="auto"><${Link} to=${`/rooms/${encodeURIComponent(one.room)}`}>${one.room_name}<//></strong>
        <p class="hint">${[LIVE.people(one.participants), one.waiting ? LIVE.waiting(one.waiting) : "", one.started_at ? LIVE.since(span(Date.now() / 1000 - one.started_at)) : "", one.owner, one.mcu].filter(Boolean).join(" · ")}</p></div>
      <${Link} to=${pathOf(one.room)} class="button button-small">${LIVE.join}<span class="hidden"> ${one.room_name}</span><//>
    </li>`)}</ul>
  <//>`;
}
