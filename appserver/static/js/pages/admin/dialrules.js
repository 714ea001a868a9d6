/** The rules by which calls go, in their order: read, made, changed and deleted. */

import { html, useSignal } from "../../../vendor/preact.js";
import { toast } from "../../store.js";
import { DIRECTION_TAGS, RULES } from "../../texts/telephony.js";
import { Icon } from "../../views/icons.js";
import { Confirm } from "../kit/dialog.js";
import { Section } from "../kit/frame.js";
import { Empty, Listing } from "../kit/load.js";
import { deleteRule } from "../rest.js";
import { RuleSheet } from "./rulesheet.js";
import { condition, consequence, particulars } from "./rulewords.js";

/** @typedef {import("../../wire.js").DialRuleInfo} Rule */

/**
 * @param {{ pages: import("../kit/load.js").Pages<Rule>, onKept: (rule: Rule) => void, onGone: (rule: Rule) => void, onClosed: () => void,
 *   button: { current: HTMLButtonElement | null } }} props `pages`: all rules in their order; `onClosed`: a dialog has been; `button`: takes the focus then
 */
export function DialRules({ pages, onKept, onGone, onClosed, button }) {
  const open = useSignal(/** @type {Rule | "new" | null} */ (null));
  const ending = useSignal(/** @type {Rule | null} */ (null));
  const add = html`<button type="button" class="button button-small" ref=${button} onClick=${() => (open.value = "new")}><${Icon} name="plus" size=${16} />${RULES.create}</button>`;
  const kept = (/** @type {Rule} */ rule) => {
    toast(open.peek() === "new" ? RULES.made : RULES.saved);
    open.value = null;
    onKept(rule);
  };
  const gone = ending.value;
  const end = async (/** @type {Rule} */ rule) => {
    await deleteRule(rule.id);
    toast(RULES.removed);
    onGone(rule);
  };
  const closed = () => {
    ending.value = null;
    onClosed();
  };
  return html`<${Section} title=${RULES.title} lead=${RULES.lead} actions=${pages.items && add}>
    <${Listing} pages=${pages} empty=${html`<${Empty} icon="phone" title=${RULES.none} detail=${RULES.noneDetail} />`}>
      <ol class="entries">${pages.items?.map((one) => html`<${Row} key=${one.id} one=${one} onOpen=${() => (open.value = one)} onEnd=${() => (ending.value = one)} />`)}</ol>
    <//>
    ${open.value && html`<${RuleSheet} rule=${open.value === "new" ? null : open.value} rules=${pages.items ?? []} onKept=${kept} onClose=${() => (open.value = null)} />`}
    ${gone && html`<${Confirm} title=${RULES.removeTitle} detail=${`${condition(gone)} ${consequence(gone)}`} action=${RULES.remove} onConfirm=${() => end(gone)} onClose=${closed} />`}
  <//>`;
}

/** @param {{ one: Rule, onOpen: () => void, onEnd: () => void }} props */
function Row({ one, onOpen, onEnd }) {
  const name = html`<span class="hidden"> ${RULES.named(one.position)}</span>`;
  return html`<li class="entry">
    <div class="entry-text"><span class="tag">${DIRECTION_TAGS[one.direction]}</span> <strong dir="auto">${condition(one)}</strong> ${consequence(one)}${!one.enabled && html` <span class="tag tag-poor">${RULES.disabled}</span>`}
      <p class="hint" dir="auto">${particulars(one)}</p></div>
    <div class="entry-actions">
      <button type="button" class="button button-small" onClick=${onOpen}>${RULES.change}${name}</button>
      <button type="button" class="button button-small" onClick=${onEnd}>${RULES.remove}${name}</button>
    </div>
  </li>`;
}
