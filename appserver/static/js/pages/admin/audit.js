/** What people have done that is kept. */

import { html } from "../../../vendor/preact.js";
import { AUDIT } from "../../texts/admin.js";
import { Empty, Listing, usePages } from "../kit/load.js";
import { moment } from "../kit/times.js";
import { listAudit } from "../rest.js";

export function Audit() {
  const pages = usePages(listAudit);
  const titles = AUDIT.columns;
  return html`<${Listing} pages=${pages} empty=${html`<${Empty} icon="clock" title=${AUDIT.none} detail=${AUDIT.noneDetail} />`}>
    <table class="sheet-table">
      <caption class="hidden">${AUDIT.table}</caption>
      <thead><tr>${Object.values(titles).map((title) => html`<th key=${title} scope="col">${title}</th>`)}</tr></thead>
      <tbody>${pages.items?.map((one) => html`<tr key=${one.id}>
        <td data-label=${titles.at}>${moment(one.at)}</td>
        <td data-label=${titles.actor} dir="auto">${one.actor === "-" ? html`<span class="hint">${AUDIT.nobody}</span>` : one.actor}</td>
        <td data-label=${titles.action}><code>${one.action}</code></td>
        <td data-label=${titles.target} dir="auto">${[one.target, one.detail].filter(Boolean).join(" · ") || "–"}</td>
        <td data-label=${titles.source}>${one.source}</td>
      </tr>`)}</tbody>
    </table>
  <//>`;
}
