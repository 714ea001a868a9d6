/** /api: the API for those who write programs, from the same file that programs read. */

import { html, useMemo, useSignal } from "../../vendor/preact.js";
import { API, PROOFS, WHERE } from "../texts/api.js";
import { groupsOf, search } from "./api/document.js";
import { CopyButton } from "./kit/copy.js";
import { Frame, Section } from "./kit/frame.js";
import { Empty, Failure, Skeleton, useLoad } from "./kit/load.js";
import { SearchBox } from "./kit/search.js";
import { DESCRIPTION, readDescription } from "./rest.js";

/** @typedef {import("./api/document.js").Operation} Operation */
/** @typedef {import("./api/document.js").Field} Field */
/** @typedef {import("./api/document.js").Group} Group */

export function Page() {
  const loaded = useLoad(readDescription);
  const file = html`<a class="button" href=${DESCRIPTION} download="confero-openapi.json">${API.file}</a>`;
  return html`<${Frame} title=${API.title} lead=${API.lead} actions=${file}>
    <${Section} title=${API.begin}><ul class="rules">${API.rules.map((rule) => html`<li key=${rule}>${rule}</li>`)}</ul><//>
    ${loaded.value ? html`<${Operations} document=${loaded.value} />` : loaded.code ? html`<${Failure} code=${loaded.code} onRetry=${loaded.reload} />` : html`<${Skeleton} rows=${8} />`}
  <//>`;
}

/** @param {{ document: unknown }} props */
function Operations({ document }) {
  const groups = useMemo(() => groupsOf(document), [document]);
  const word = useSignal("");
  const shown = word.value ? search(groups, word.value) : groups;
  const count = shown.reduce((sum, group) => sum + group.operations.length, 0);
  return html`<${SearchBox} label=${API.find} onSearch=${(/** @type {string} */ text) => (word.value = text)} />
    <p class="hint" role="status">${API.found(count)}</p>
    ${count === 0 && html`<${Empty} icon="search" title=${API.none} detail=${API.noneDetail} />`}
    ${shown.map((group) => html`<${Section} key=${group.name} title=${group.name} lead=${group.text}>
      <div class="operations">${group.operations.map((one) => html`<${Entry} key=${one.id} operation=${one} />`)}</div>
    <//>`)}`;
}

/** One operation: a line, and all of it when it is opened. @param {{ operation: Operation }} props */
function Entry({ operation }) {
  const open = useSignal(false);
  const turned = (/** @type {Event} */ event) => (open.value = /** @type {HTMLDetailsElement} */ (event.currentTarget).open);
  return html`<details class="operation" onToggle=${turned}>
    <summary><span class="method" data-method=${operation.method}>${operation.method}</span> <code class="path">${operation.path}</code> <span class="operation-summary">${operation.summary}</span></summary>
    ${open.value && html`<div class="operation-body"><${Details} operation=${operation} /></div>`}
  </details>`;
}

/** @param {{ operation: Operation }} props */
function Details({ operation }) {
  const { description, proofs, parameters, body, sent, status, given, refusals } = operation;
  return html`${description.map((text) => html`<p key=${text}><${Words} text=${text} /></p>`)}
    <h3>${API.proofs}${proofs.length > 1 && html` <span class="hint">${API.anyOf}</span>`}</h3>
    <ul class="rules">${proofs.map((way) => html`<li key=${way}>${PROOFS[way] ?? way}</li>`)}</ul>
    ${parameters.length > 0 && html`<${Fields} title=${API.parameters} fields=${parameters} />`}
    ${body.length > 0 && html`<${Fields} title=${API.body} fields=${body} />`}
    ${sent && html`<${Example} text=${sent} title=${`${API.example}: ${operation.method} ${operation.path}`} />`}
    <h3>${API.answers}</h3>
    <p><span class="tag">${status}</span></p>
    ${given && html`<${Example} text=${given} title=${`${API.example}: ${status}`} />`}
    <h3>${API.problems}</h3>
    <dl class="facts">${refusals.map((one) => html`<div key=${one.status}><dt>${one.status}</dt><dd>${one.codes.map((code) => html`<code key=${code} class="code">${code}</code> `)}</dd></div>`)}</dl>`;
}

/** What stands between backticks is code. @param {{ text: string }} props */
function Words({ text }) {
  return html`${text.split("`").map((part, index) => (index % 2 ? html`<code key=${index}>${part}</code>` : part))}`;
}

/** @param {{ title: string, fields: Field[] }} props */
function Fields({ title, fields }) {
  const titles = API.columns;
  return html`<h3>${title}</h3><div class="scroll" tabindex="0" role="region" aria-label=${title}><table class="sheet-table">
    <caption class="hidden">${title}</caption>
    <thead><tr>${Object.values(titles).map((words) => html`<th key=${words} scope="col">${words}</th>`)}</tr></thead>
    <tbody>${fields.map((one) => html`<tr key=${`${one.where} ${one.name}`}>
      <th scope="row"><code>${one.name}</code></th>
      <td data-label=${titles.where}>${WHERE[one.where] ?? one.where}${one.needed && html` <span class="tag">${API.needed}</span>`}</td>
      <td data-label=${titles.kind}><code class="kind">${one.kind}</code></td>
      <td data-label=${titles.text}>${one.text ? html`<${Words} text=${one.text} />` : "–"}</td>
    </tr>`)}</tbody>
  </table></div>`;
}

/** @param {{ title: string, text: string }} props */
function Example({ title, text }) {
  return html`<figure class="sample"><figcaption>${title} <${CopyButton} value=${text} what=${title} small /></figcaption>
    <pre tabindex="0" role="region" aria-label=${title}><code>${text}</code></pre>
  </figure>`;
}
