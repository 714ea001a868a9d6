/** Telephony as it is set up: whether rooms may call, the rules, then numbers, trunks and accounts. */

import { html, useRef } from "../../../vendor/preact.js";
import { TELEPHONY } from "../../texts/telephony.js";
import { keepFocus } from "../kit/dialog.js";
import { Link, Section } from "../kit/frame.js";
import { Listing, usePages } from "../kit/load.js";
import { listRules, listTelephony } from "../rest.js";
import { CallsOut } from "./callsout.js";
import { DialRules } from "./dialrules.js";
import { inOrder } from "./rulewords.js";
import { SipNumbers } from "./sipnumbers.js";

/** @typedef {import("../../wire.js").DialRuleInfo} Rule */

export function Telephony() {
  const pages = usePages(everyRule);
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const others = (/** @type {Rule} */ rule) => (pages.items ?? []).filter(({ id }) => id !== rule.id);
  const keep = (/** @type {Rule} */ rule) => pages.change(inOrder([...others(rule), rule]));
  const settle = () => keepFocus(button);
  return html`${pages.items && html`<${CallsOut} rules=${pages.items} onMade=${keep} onClosed=${settle} />`}
    <${DialRules} pages=${pages} onKept=${keep} onGone=${(/** @type {Rule} */ rule) => pages.change(others(rule))} onClosed=${settle} button=${button} />
    <${SipNumbers} />
    <${Part} what="trunks" title=${TELEPHONY.trunks} none=${TELEPHONY.trunksNone} />
    <${Part} what="accounts" title=${TELEPHONY.accounts} none=${TELEPHONY.accountsNone} />
    <p class="hint">${TELEPHONY.how} <${Link} to="/api">${TELEPHONY.api}<//></p>`;
}

/** There are 500 at most, and only together they can be put into their order. @returns {Promise<{ items: Rule[] }>} */
async function everyRule() {
  /** @type {Rule[]} */
  const items = [];
  /** @type {string | null} */
  let mark = null;
  do {
    const page = /** @type {import("../../wire.js").DialRulePage} */ (await listRules(mark));
    items.push(...page.items);
    mark = page.next;
  } while (mark);
  return { items: inOrder(items) };
}

/** @param {{ what: "trunks" | "accounts", title: string, none: string }} props */
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

/** @param {Record<string, any>} one a trunk or an account */
function nameOf(one) {
  return String(one.name ?? `${one.user}@${one.realm}`);
}

/** @param {Record<string, any>} one */
function factsOf(one) {
  const servers = Array.isArray(one.servers) ? one.servers.map((/** @type {{ uri: string }} */ server) => server.uri).join(", ") : "";
  return [one.display_name, servers, one.transport, one.enabled === false ? TELEPHONY.disabled : ""].filter(Boolean).join(" · ");
}
