/** /records/{meeting}: one meeting, and how each one fared. */

import { html, useSignal } from "../../vendor/preact.js";
import { navigate } from "../screens.js";
import { toast } from "../store.js";
import { ENDS, LEFT, RECORD, RECORDS } from "../texts/records.js";
import { Confirm } from "./kit/dialog.js";
import { Frame, Link, Section } from "./kit/frame.js";
import { Failure, Skeleton, useLoad } from "./kit/load.js";
import { Quality } from "./kit/quality.js";
import { clock, moment, span } from "./kit/times.js";
import { deleteRecord, readRecord } from "./rest.js";

/** @typedef {import("../wire.js").MeetingDetail} MeetingDetail */

/** @param {import("../router.js").PageProps} props */
export function Page({ id }) {
  const loaded = useLoad(() => readRecord(id), id);
  const meeting = loaded.value;
  const back = /** @type {const} */ (["/records", RECORDS.back]);
  if (!meeting) return html`<${Frame} key="loading" title=${RECORD.title} back=${back}>${loaded.code ? html`<${Failure} code=${loaded.code} onRetry=${loaded.reload} />` : html`<${Skeleton} rows=${4} />`}<//>`;
  return html`<${Frame} key="record" title=${meeting.room_name} lead=${moment(meeting.started_at)} back=${back}>
    <${Facts} meeting=${meeting} />
    <${Section} title=${RECORD.stays} lead=${RECORD.staysLead}><${Stays} meeting=${meeting} /><//>
    <${Removal} id=${meeting.id} />
  <//>`;
}

/** @param {{ meeting: MeetingDetail }} props */
function Facts({ meeting }) {
  const lasted = meeting.ended_at === null ? RECORDS.now : span(meeting.ended_at - meeting.started_at);
  const facts = [
    [RECORD.lasted, lasted],
    [RECORD.people, `${meeting.participants}, ${RECORDS.most(meeting.most)}`],
    [RECORD.heard, html`<${Quality} mos=${meeting.mos} />`],
    [RECORD.ended, ENDS[meeting.reason] ?? meeting.reason],
    [RECORD.openRoom, html`<${Link} to=${`/rooms/${encodeURIComponent(meeting.room)}`}>${meeting.room}<//>`],
  ];
  return html`<section class="panel-card"><dl class="facts">${facts.map(([term, text]) => text && html`<div key=${term}><dt>${term}</dt><dd>${text}</dd></div>`)}</dl></section>`;
}

/** @param {{ meeting: MeetingDetail }} props */
function Stays({ meeting }) {
  const titles = RECORD.columns;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${RECORD.stays}><table class="sheet-table">
    <caption class="hidden">${RECORD.stays}</caption>
    <thead><tr>${Object.values(titles).map((title) => html`<th key=${title} scope="col">${title}</th>`)}</tr></thead>
    <tbody>${meeting.stays.map((stay) => html`<tr key=${`${stay.participant} ${stay.joined_at}`}>
      <th scope="row" dir="auto">${stay.display_name}${stay.role === "host" && html` <span class="tag">${RECORD.host}</span>`}${stay.kind === "rtp" && html` <span class="tag">${RECORD.phone}</span>`}</th>
      <td data-label=${titles.came}>${clock(stay.joined_at)}</td>
      <td data-label=${titles.stayed}>${stay.left_at === null ? RECORD.still : span(stay.left_at - stay.joined_at)}</td>
      <td data-label=${titles.codec}>${stay.codec || "–"}</td>
      <td data-label=${titles.loss}>${percent(stay.loss_in)} / ${percent(stay.loss_out)}</td>
      <td data-label=${titles.jitter}>${millis(stay.jitter_in_ms)} / ${millis(stay.jitter_out_ms)}</td>
      <td data-label=${titles.mos}><span class="tags"><${Quality} mos=${stay.mos_in} />${stay.mos_in === null && stay.mos_out === null ? " / " : " "}<${Quality} mos=${stay.mos_out} /></span></td>
      <td data-label=${titles.reason}>${LEFT[stay.reason] ?? (stay.reason || "–")}</td>
    </tr>`)}</tbody>
  </table></div>`;
}

/** @param {number | null} part 0 to 1 */
function percent(part) {
  return part === null ? "–" : `${(part * 100).toFixed(1)} %`;
}

/** @param {number | null} ms */
function millis(ms) {
  return ms === null ? "–" : `${Math.round(ms)} ms`;
}

/** @param {{ id: string }} props */
function Removal({ id }) {
  const asked = useSignal(false);
  const remove = async () => {
    await deleteRecord(id);
    toast(RECORD.removed);
    await navigate("/records");
  };
  return html`<${Section} title=${RECORD.remove} lead=${RECORD.removeLead} danger>
    <div class="buttons"><button type="button" class="button button-danger-quiet" onClick=${() => (asked.value = true)}>${RECORD.remove}</button></div>
    ${asked.value && html`<${Confirm} title=${RECORD.removeTitle} detail=${RECORD.removeDetail} action=${RECORD.remove} onConfirm=${remove} onClose=${() => (asked.value = false)} />`}
  <//>`;
}
