/** What the rules of the dial plan mean, in plain words and together. */

import { WORDS } from "../../texts/telephony.js";

/** @typedef {import("../../wire.js").DialRuleInfo} Rule */
/** @typedef {"none" | "refused" | "some" | "all"} CallsOut  whom a browser reaches: nobody, nobody by a rule, what rules allow, every address */

/** Between a rule and the one that is put after it, so that there is space for others. */
const STEP = 10;
const LAST = 1_000_000;

/** As calls are held against them: by position, and then by age. @param {readonly Rule[]} rules */
export function inOrder(rules) {
  return [...rules].sort((one, other) => one.position - other.position || one.id - other.id);
}

/** @param {Rule} rule */
const fitsAll = (rule) => rule.pattern === "." && !rule.domain;

/** @param {readonly Rule[]} rules in their order @returns {CallsOut} */
export function callsOut(rules) {
  const out = rules.filter((rule) => rule.direction === "out" && rule.enabled);
  const end = out.findIndex((rule) => fitsAll(rule) && !rule.skip_missing);
  const asked = end < 0 ? out : out.slice(0, end + 1);
  if (asked.some((rule) => rule.action === "address" && fitsAll(rule))) return "all";
  if (asked.some((rule) => rule.action !== "reject")) return "some";
  return end < 0 ? "none" : "refused";
}

/** Where a new rule is of use: behind the others, yet before the first one that fits everything. @param {readonly Rule[]} rules in their order */
export function freePosition(rules) {
  const end = rules.find(fitsAll)?.position ?? LAST;
  const next = Math.max(0, ...rules.map(({ position }) => position).filter((position) => position < end)) + STEP;
  return next < end ? next : Math.max(0, end - 1);
}

/** Behind the rules for calls out that there are, so that what they refuse stays refused. @param {readonly Rule[]} rules @returns {import("../../wire.js").DialRuleCreate} */
export function anyAddress(rules) {
  const before = rules.filter((rule) => rule.direction === "out").map(({ position }) => position);
  return { position: Math.min(LAST, Math.max(0, ...before) + STEP), direction: "out", source: "browser", pattern: ".", action: "address" };
}

/** Whom the rule is for, and what they dial. @param {Rule} rule */
export function condition(rule) {
  return WORDS.dials(callers(rule), dialled(rule));
}

/** @param {Rule} rule */
function callers({ direction, source, source_name: name }) {
  if (direction === "out") return WORDS.callers.browser;
  return name && (source === "trunk" || source === "account") ? WORDS[source](name) : WORDS.callers[source];
}

/** @param {Rule} rule */
function dialled({ pattern, domain }) {
  const what = patternWords(pattern);
  if (!domain) return what;
  return WORDS.at(what, domain.startsWith("*.") ? WORDS.below(domain.slice(2)) : domain);
}

/** @param {string} pattern digits and signs, `X` for a digit, a point at its end, a backslash before what stands for itself */
function patternWords(pattern) {
  if (pattern === ".") return WORDS.everything;
  const steps = /** @type {string[]} */ (pattern.match(/\\?./gu) ?? []);
  const open = steps.at(-1) === ".";
  const text = (open ? steps.slice(0, -1) : steps).map((step) => (step.length > 1 ? step.slice(1) : step)).join("");
  const start = open ? WORDS.begins(text) : text;
  return steps.includes("X") ? WORDS.digits(start) : start;
}

/** What becomes of the call. @param {Rule} rule */
export function consequence({ action, target, status }) {
  if (action === "room") return target === "{user}" ? WORDS.rooms : WORDS.room(target);
  if (action === "user") return target === "{user}" ? WORDS.users : WORDS.user(target);
  if (action === "trunk") return WORDS.trunks(target.split(",").map((name) => name.trim()).filter(Boolean));
  return action === "reject" ? WORDS.reject(status) : WORDS[action];
}

/** Whatever else there is to know. @param {Rule} rule */
export function particulars({ position, strip, prepend, skip_missing: skips, note }) {
  return [WORDS.position(position), strip ? WORDS.stripped(strip) : "", prepend ? WORDS.prefixed(prepend) : "", skips ? WORDS.skips : "", note].filter(Boolean).join(" · ");
}
