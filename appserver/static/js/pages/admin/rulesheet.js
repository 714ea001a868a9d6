/** A rule of the dial plan as a form: a new one, or one that is changed. */

import { html } from "../../../vendor/preact.js";
import { ACTIONS, DIRECTIONS, RULE_FAULTS, RULE_NEEDED, RULES, SOURCES, TARGET_NEEDED } from "../../texts/telephony.js";
import { Sheet } from "../kit/dialog.js";
import { FormFault, SelectField, SubmitButton, SwitchField, TextField } from "../kit/fields.js";
import { missing, useForm } from "../kit/form.js";
import { makeRule, patchRule } from "../rest.js";
import { freePosition } from "./rulewords.js";

/** @typedef {import("../../wire.js").DialRuleInfo} Rule */
/** @typedef {ReturnType<typeof valuesOf>} RuleValues */

/** What was dialled, as a target. */
const DIALLED = "{user}";
/** Fields behind "More". */
const FURTHER = ["strip", "prepend", "note"];
const WHOLE = /^\d{1,7}$/;

/** @param {Rule | null} rule @param {readonly Rule[]} rules that there are */
function valuesOf(rule, rules) {
  return {
    position: String(rule?.position ?? freePosition(rules)),
    direction: /** @type {string} */ (rule?.direction ?? "in"),
    source: /** @type {string} */ (rule?.source ?? "any"),
    source_name: rule?.source_name ?? "",
    pattern: rule?.pattern ?? "",
    domain: rule?.domain ?? "",
    action: /** @type {string} */ (rule?.action ?? "room"),
    target: rule?.target ?? DIALLED,
    strip: String(rule?.strip ?? 0),
    prepend: rule?.prepend ?? "",
    skip_missing: rule?.skip_missing ?? false,
    status: String(rule?.status ?? 403),
    enabled: rule?.enabled ?? true,
    note: rule?.note ?? "",
  };
}

/** @param {string} action whether it has a target @returns {action is "room" | "user" | "trunk"} */
const hasTarget = (action) => action === "room" || action === "user" || action === "trunk";
/** @param {RuleValues} values whether one of those that call may be named @returns {boolean} */
const named = ({ direction, source }) => direction === "in" && (source === "trunk" || source === "account");

/** As the server takes it: what another choice has made meaningless is left at its default. @param {RuleValues} values */
function wishOf(values) {
  const { direction, action, target } = values;
  return /** @type {Required<import("../../wire.js").DialRuleCreate>} */ ({
    ...values,
    source: direction === "out" ? "browser" : values.source,
    source_name: named(values) ? values.source_name.trim() : "",
    pattern: values.pattern.trim(),
    domain: values.domain.trim(),
    target: hasTarget(action) ? target.trim() : DIALLED,
    position: Number(values.position),
    strip: Number(values.strip),
    status: Number(values.status),
  });
}

/** What is known to be wrong without the server: a field that is empty, a number that is none. @param {RuleValues} values */
function look(values) {
  const numbers = /** @type {const} */ (["position", "strip", "status"]).filter((name) => !WHOLE.test(values[name].trim()));
  const { action } = values;
  const target = hasTarget(action) && missing(values, { target: TARGET_NEEDED[action] ?? "" });
  return { ...missing(values, RULE_NEEDED), ...target, ...Object.fromEntries(numbers.map((name) => [name, RULE_FAULTS[name] ?? ""])) };
}

/** @param {{ rule: Rule | null, rules: readonly Rule[], onKept: (rule: Rule) => void, onClose: () => void }} props  `rule` null: a new one */
export function RuleSheet({ rule, rules, onKept, onClose }) {
  const send = async (/** @type {RuleValues} */ values) => onKept(await (rule ? patchRule(rule.id, wishOf(values)) : makeRule(wishOf(values))));
  const form = useForm(valuesOf(rule, rules), send, look, RULE_FAULTS);
  return html`<${Sheet} title=${rule ? RULES.changeTitle : RULES.create} onClose=${onClose}>
    <form class="form" ref=${form.ref} onSubmit=${form.onSubmit} novalidate>
      <${FormFault} form=${form} />
      <${Condition} form=${form} />
      <${Consequence} form=${form} />
      <details class="more" open=${FURTHER.some((name) => form.faults[name])}>
        <summary>${RULES.more}</summary>
        <${Further} form=${form} />
      </details>
      <div class="buttons"><${SubmitButton} form=${form}>${rule ? RULES.save : RULES.make}<//></div>
    </form>
  <//>`;
}

/** @typedef {import("../kit/form.js").Form<RuleValues>} RuleForm */

/** When the rule is asked, and what it is for. @param {{ form: RuleForm }} props */
function Condition({ form }) {
  const { direction, source } = form.values;
  return html`<div class="pair">
      <${SelectField} form=${turning(form)} name="direction" label=${RULES.direction} options=${DIRECTIONS} />
      <${TextField} form=${form} name="position" label=${RULES.position} hint=${RULES.positionHint} inputmode="numeric" maxlength=${7} />
    </div>
    ${direction === "in" && html`<div class="pair">
      <${SelectField} form=${form} name="source" label=${RULES.source} options=${SOURCES} />
      ${named(form.values) && html`<${TextField} form=${form} name="source_name" label=${source === "trunk" ? RULES.trunkName : RULES.accountName}
        hint=${source === "trunk" ? RULES.trunkNameHint : RULES.accountNameHint} maxlength=${64} optional />`}
    </div>`}
    <${TextField} form=${form} name="pattern" label=${RULES.pattern} hint=${RULES.patternHint} maxlength=${64} />
    <${TextField} form=${form} name="domain" label=${RULES.domain} hint=${RULES.domainHint} maxlength=${255} optional />`;
}

/** @param {{ form: RuleForm }} props */
function Consequence({ form }) {
  const { direction, action } = form.values;
  return html`<${SelectField} key=${direction} form=${retargeting(form)} name="action" label=${RULES.action} options=${ACTIONS[direction === "out" ? "out" : "in"]} />
    ${hasTarget(action) && html`<${TextField} form=${form} name="target" label=${RULES.target[action]} hint=${RULES.targetHint[action]} maxlength=${256} />`}
    ${action === "reject" && html`<${TextField} form=${form} name="status" label=${RULES.status} hint=${RULES.statusHint} inputmode="numeric" maxlength=${3} />`}`;
}

/** @param {{ form: RuleForm }} props */
function Further({ form }) {
  return html`<div class="form">
    <div class="pair">
      <${TextField} form=${form} name="strip" label=${RULES.strip} hint=${RULES.stripHint} inputmode="numeric" maxlength=${2} />
      <${TextField} form=${form} name="prepend" label=${RULES.prepend} hint=${RULES.prependHint} maxlength=${32} optional />
    </div>
    <${SwitchField} form=${form} name="skip_missing" label=${RULES.skip} hint=${RULES.skipHint} />
    <${SwitchField} form=${form} name="enabled" label=${RULES.enabled} />
    <${TextField} form=${form} name="note" label=${RULES.note} maxlength=${256} optional />
  </div>`;
}

/** Another direction has other ends: the first of them, unless the one that is chosen is among them. @param {RuleForm} form @returns {RuleForm} */
function turning(form) {
  return {
    ...form,
    set: (name, value) => {
      form.set(name, value);
      const ends = ACTIONS[value === "out" ? "out" : "in"];
      if (!ends.some(([action]) => action === form.values.action)) retargeting(form).set("action", ends[0]?.[0] ?? "reject");
    },
  };
}

/** A trunk has a name of its own; rooms and people have what was dialled, unless something else is typed. @param {RuleForm} form @returns {RuleForm} */
function retargeting(form) {
  return {
    ...form,
    set: (name, value) => {
      form.set(name, value);
      const { target } = form.values;
      if (value === "trunk" && target === DIALLED) form.set("target", "");
      if (value !== "trunk" && !target.trim()) form.set("target", DIALLED);
    },
  };
}
