/** /records: meetings that were, with a search and files to take away. */

import { html, useId, useSignal } from "../../vendor/preact.js";
import { oversees } from "../account.js";
import { LIST_MS, useRefresh } from "../refresh.js";
import { RECORDS } from "../texts/records.js";
import { Icon } from "../views/icons.js";
import { Frame, Link } from "./kit/frame.js";
import { Empty, Listing, usePages } from "./kit/load.js";
import { Quality } from "./kit/quality.js";
import { SearchBox } from "./kit/search.js";
import { fromLocal, moment, span } from "./kit/times.js";
import { exportRecords, listRecords } from "./rest.js";

const DAY_S = 86_400;

export function Page() {
  const room = new URLSearchParams(location.search).get("room") ?? "";
  const who = useSignal("");
  const after = useSignal("");
  const before = useSignal("");
  const everyone = useSignal(false);
  const end = fromLocal(before.value && `${before.value}T00:00`);
  const query = { room, who: who.value, everyone: everyone.value, after: fromLocal(after.value && `${after.value}T00:00`), before: end && end + DAY_S };
  const pages = usePages((mark) => listRecords(query, mark), JSON.stringify(query));
  useRefresh(pages.refresh, LIST_MS, ["records", "live"], !everyone.value);
  const sought = Boolean(who.value || after.value || before.value || room);
  const empty = sought
    ? html`<${Empty} icon="search" title=${RECORDS.noneFound} detail=${RECORDS.noneFoundDetail} />`
    : html`<${Empty} icon="clock" title=${RECORDS.none} detail=${RECORDS.noneDetail} />`;
  const files = (/** @type {const} */ (["csv", "json"])).map((format) => html`<a key=${format} class="button button-small" href=${exportRecords(query, format)} download><${Icon} name="download" size=${16} />${RECORDS[format]}</a>`);
  return html`<${Frame} title=${RECORDS.title} lead=${RECORDS.lead} actions=${files}>
    ${room && html`<p class="tags"><span class="tag">${RECORDS.ofRoom(room)}</span> <${Link} to="/records">${RECORDS.allRooms}<//></p>`}
    <div class="filters">
      <${SearchBox} label=${RECORDS.who} onSearch=${(/** @type {string} */ text) => (who.value = text)} />
      <${Day} label=${RECORDS.after} value=${after} />
      <${Day} label=${RECORDS.before} value=${before} />
      ${oversees.value && html`<label class="choice"><input type="checkbox" checked=${everyone.value} onChange=${() => (everyone.value = !everyone.value)} /><span>${RECORDS.everyone}</span></label>`}
    </div>
    <${Listing} pages=${pages} empty=${empty}><${Table} meetings=${pages.items ?? []} /><//>
  <//>`;
}

/** @param {{ label: string, value: import("../../vendor/preact.js").Signal<string> }} props */
function Day({ label, value }) {
  const id = useId();
  return html`<div class="day"><label for=${id}>${label}</label>
    <input id=${id} type="date" value=${value.value} onChange=${(/** @type {Event} */ event) => (value.value = /** @type {HTMLInputElement} */ (event.target).value)} /></div>`;
}

/** @param {{ meetings: readonly import("../wire.js").MeetingInfo[] }} props */
function Table({ meetings }) {
  const { room, started, lasted, people, heard } = RECORDS.columns;
  return html`<table class="sheet-table">
    <caption class="hidden">${RECORDS.table}</caption>
    <thead><tr>${[room, started, lasted, people, heard].map((title) => html`<th key=${title} scope="col">${title}</th>`)}</tr></thead>
    <tbody>${meetings.map((one) => html`<tr key=${one.id}>
      <th scope="row" dir="auto"><${Link} to=${`/records/${encodeURIComponent(one.id)}`}>${one.room_name}<//></th>
      <td data-label=${started}>${moment(one.started_at)}</td>
      <td data-label=${lasted}>${one.ended_at === null ? html`<span class="tag tag-good">${RECORDS.now}</span>` : span(one.ended_at - one.started_at)}</td>
      <td data-label=${people} title=${RECORDS.most(one.most)}>${one.participants}</td>
      <td data-label=${heard}><${Quality} mos=${one.mos} /></td>
    </tr>`)}</tbody>
  </table>`;
}
