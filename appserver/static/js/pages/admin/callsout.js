/** Whether people in rooms may call, in one sentence, and the button that lets them. */

import { html, useSignal } from "../../../vendor/preact.js";
import { toast } from "../../store.js";
import { CALLS_OUT } from "../../texts/telephony.js";
import { Icon } from "../../views/icons.js";
import { Confirm } from "../kit/dialog.js";
import { Section } from "../kit/frame.js";
import { makeRule } from "../rest.js";
import { anyAddress, callsOut } from "./rulewords.js";

/** @typedef {import("../../wire.js").DialRuleInfo} Rule */

/** @param {{ rules: readonly Rule[], onMade: (rule: Rule) => void, onClosed: () => void }} props */
export function CallsOut({ rules, onMade, onClosed }) {
  const asking = useSignal(false);
  const state = callsOut(rules);
  const allow = html`<button type="button" class="button button-primary" onClick=${() => (asking.value = true)}><${Icon} name="phone" />${CALLS_OUT.allow}</button>`;
  const confirmed = async () => {
    onMade(await makeRule(anyAddress(rules)));
    toast(CALLS_OUT.allowed);
  };
  const close = () => {
    asking.value = false;
    onClosed();
  };
  return html`<${Section} title=${CALLS_OUT.title} lead=${CALLS_OUT[state]} actions=${state === "none" && allow}>
    ${asking.value && html`<${Confirm} title=${CALLS_OUT.allowTitle} detail=${CALLS_OUT.allowDetail} action=${CALLS_OUT.allowAction} tone="primary" onConfirm=${confirmed} onClose=${close} />`}
  <//>`;
}
