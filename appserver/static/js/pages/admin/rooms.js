/** Everybody's rooms. */

import { html, useSignal } from "../../../vendor/preact.js";
import { ROOMS } from "../../texts/rooms.js";
import { Link } from "../kit/frame.js";
import { Empty, Listing, usePages } from "../kit/load.js";
import { SearchBox } from "../kit/search.js";
import { ago } from "../kit/times.js";
import { listRooms } from "../rest.js";

export function AllRooms() {
  const search = useSignal("");
  const pages = usePages((mark) => listRooms({ search: search.value, everyone: true }, mark), search.value);
  return html`<div class="filters"><${SearchBox} label=${ROOMS.search} onSearch=${(/** @type {string} */ text) => (search.value = text)} /></div>
    <${Listing} pages=${pages} empty=${html`<${Empty} icon="door" title=${ROOMS.noneFound} detail=${ROOMS.noneFoundDetail} />`}>
      <ul class="entries entries-card">${pages.items?.map((room) => html`<li key=${room.id} class="entry">
        <div class="entry-text"><strong dir="auto">${room.name}</strong>
          <p class="hint">${[room.id, room.owner, room.participants ? ROOMS.here(room.participants) : ROOMS.used(ago(room.used_at))].filter(Boolean).join(" · ")}</p></div>
        <${Link} to=${`/rooms/${encodeURIComponent(room.id)}`} class="button button-small">${ROOMS.settings}<span class="hidden"> ${room.name}</span><//>
      </li>`)}</ul>
    <//>`;
}
