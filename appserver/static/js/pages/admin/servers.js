/** The media servers of the farm. */

import { html } from "../../../vendor/preact.js";
import { administers } from "../../account.js";
import { codeOf } from "../../problem.js";
import { LIVE_MS, useRefresh } from "../../refresh.js";
import { toast } from "../../store.js";
import { SERVER_STATES, SERVERS } from "../../texts/admin.js";
import { sentence } from "../../texts/problems.js";
import { Empty, Listing, usePages } from "../kit/load.js";
import { span } from "../kit/times.js";
import { drainServer, listServers } from "../rest.js";

/** @typedef {import("../../wire.js").McuInfo} McuInfo */

/** From this part of the capacity on a server is nearly full. */
const HIGH = 0.85;

export function Servers() {
  const pages = usePages(listServers);
  useRefresh(pages.refresh, LIVE_MS, [], false);
  const drain = (/** @type {McuInfo} */ one) => {
    const draining = one.state !== "draining";
    drainServer(one.id, draining).then(
      () => {
        toast(draining ? SERVERS.drained : SERVERS.undrained);
        pages.reload();
      },
      (error) => toast(sentence(codeOf(error)), "warning"),
    );
  };
  return html`<${Listing} pages=${pages} empty=${html`<${Empty} icon="server" title=${SERVERS.none} detail=${SERVERS.noneDetail} />`}>
    <ul class="entries entries-card">${pages.items?.map((one) => html`<${Row} key=${one.id} one=${one} onDrain=${administers.value ? () => drain(one) : null} />`)}</ul>
  <//>`;
}

/** @param {{ one: McuInfo, onDrain: (() => void) | null }} props */
function Row({ one, onDrain }) {
  const [words, tone] = SERVER_STATES[one.state] ?? [one.state, "fair"];
  return html`<li class="entry">
    <div class="entry-text"><strong>${one.id}</strong> <span class=${`tag tag-${tone}`}>${words}</span>
      <p class="hint">${[SERVERS.holds(one.rooms, one.legs), SERVERS.seen(span(one.seen_s)), one.version, one.url].filter(Boolean).join(" · ")}</p>
      <${Load} one=${one} />
      <p class="hint">${SERVERS.used(one.used.toFixed(one.used % 1 ? 1 : 0), one.capacity)}</p></div>
    ${onDrain && one.state !== "lost" && html`<button type="button" class="button button-small" onClick=${onDrain}>${one.state === "draining" ? SERVERS.undrain : SERVERS.drain}<span class="hidden"> ${one.id}</span></button>`}
  </li>`;
}

/** @param {{ one: McuInfo }} props */
function Load({ one }) {
  const part = Math.min(1, one.used / Math.max(1, one.capacity));
  return html`<div class=${`load ${part > HIGH ? "load-high" : ""}`} style=${{ "--part": `${(part * 100).toFixed(1)}%` }} role="meter" aria-label=${SERVERS.load(one.id)}
    aria-valuemin="0" aria-valuemax=${one.capacity} aria-valuenow=${one.used}></div>`;
}
