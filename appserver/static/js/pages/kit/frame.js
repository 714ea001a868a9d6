/** What surrounds a page: masthead, heading, the card of the small ones. */

import { html } from "../../../vendor/preact.js";
import { navigate } from "../../screens.js";
import { Masthead, useHeading } from "../../views/common.js";

/** @param {{ title: string, lead?: unknown, actions?: unknown, back?: readonly [string, string], children?: unknown }} props  `back`: path and label */
export function Frame({ title, lead, actions, back, children }) {
  const heading = useHeading(title);
  return html`<div class="page">
    <${Masthead} />
    <main class="desk">
      ${back && html`<p class="back"><${Link} to=${back[0]}>← ${back[1]}<//></p>`}
      <div class="desk-head">
        <div><h1 ref=${heading} tabindex="-1">${title}</h1>${lead && html`<p class="desk-lead">${lead}</p>`}</div>
        ${actions && html`<div class="buttons">${actions}</div>`}
      </div>
      ${children}
    </main>
  </div>`;
}

/** A page that is one form. @param {{ title: string, lead?: unknown, children?: unknown, below?: unknown }} props */
export function CardPage({ title, lead, children, below }) {
  const heading = useHeading(title);
  return html`<div class="page">
    <${Masthead} />
    <main class="door-page">
      <div class="card door-card">
        <div class="door-head"><h1 ref=${heading} tabindex="-1">${title}</h1>${lead && html`<p class="desk-lead">${lead}</p>`}</div>
        ${children}
      </div>
      ${below && html`<div class="door-below">${below}</div>`}
    </main>
  </div>`;
}

/** A link within the client: no page is loaded anew. @param {{ to: string, class?: string, current?: boolean, children?: unknown }} props */
export function Link({ to, class: name = "link", current = false, children }) {
  const go = (/** @type {MouseEvent} */ event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    void navigate(to);
  };
  return html`<a href=${to} class=${name} aria-current=${current ? "page" : undefined} onClick=${go}>${children}</a>`;
}

/** A part of a page, with its own heading. @param {{ title: string, lead?: unknown, actions?: unknown, danger?: boolean, children?: unknown }} props */
export function Section({ title, lead, actions, danger = false, children }) {
  return html`<section class=${`panel-card ${danger ? "panel-danger" : ""}`}>
    <div class="panel-card-head"><div><h2>${title}</h2>${lead && html`<p class="hint">${lead}</p>`}</div>${actions && html`<div class="buttons">${actions}</div>`}</div>
    ${children}
  </section>`;
}
