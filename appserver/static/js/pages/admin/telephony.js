/** Telephony at a glance: trunks, numbers and accounts as they are set up. */

import { html } from "../../../vendor/preact.js";
import { TELEPHONY } from "../../texts/admin.js";
import { Section } from "../kit/frame.js";
import { Listing, usePages } from "../kit/load.js";
import { listTelephony } from "../rest.js";

export function Telephony() {
  return html`<p class="hint">${TELEPHONY.how}</p>
    <${Part} what="trunks" title=${TELEPHONY.trunks} none=${TELEPHONY.trunksNone} />
    <${Part} what="numbers" title=${TELEPHONY.numbers} none=${TELEPHONY.numbersNone} />
    <${Part} what="accounts" title=${TELEPHONY.accounts} none=${TELEPHONY.accountsNone} />`;
}

/** @param {{ what: "trunks" | "numbers" | "accounts", title: string, none: string }} props */
function Part({ what, title, none }) {
  const pages = usePages((mark) => listTelephony(what, mark), what);
  return html`<${Section} title=${title}>
    <${Listing} pages=${pages} empty=${html`<p class="hint">${none}</p>`}>
      <ul class="entries">${pages.items?.map((one) => html`<${Row} key=${nameOf(one)} name=${nameOf(one)} facts=${factsOf(one)} />`)}</ul>
    <//>
  <//>`;
}

/** @param {{ name: string, facts: string }} props */
function Row({ name, facts }) {
  return html`<li class="entry"><div class="entry-text"><strong dir="auto">${name}</strong><p class="hint">${facts}</p></div></li>`;
}

/** @param {Record<string, any>} one a number, a trunk or an account */
function nameOf(one) {
  return String(one.number ?? one.name ?? `${one.user}@${one.realm}`);
}

/** @param {Record<string, any>} one */
function factsOf(one) {
  const servers = Array.isArray(one.servers) ? one.servers.map((/** @type {{ uri: string }} */ server) => server.uri).join(", ") : "";
  return [one.display_name, servers, one.transport, one.room, one.enabled === false ? TELEPHONY.disabled : ""].filter(Boolean).join(" · ");
}
