/** What the rules of the dial plan say in plain words, whom they let call out, and where a new one stands. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { anyAddress, callsOut, condition, consequence, freePosition, inOrder } from "../../../appserver/static/js/pages/admin/rulewords.js";

/** @typedef {import("../../../appserver/static/js/wire.js").DialRuleInfo} Rule */

/** @param {Partial<Rule>} values @returns {Rule} */
function rule(values) {
  return {
    id: 1, position: 10, direction: "in", source: "any", source_name: "", pattern: ".", domain: "", action: "room", target: "{user}",
    strip: 0, prepend: "", skip_missing: false, status: 403, enabled: true, note: "", ...values,
  };
}

/** @param {Partial<Rule>} values */
const out = (values) => rule({ direction: "out", action: "address", ...values });

test("what is dialled", () => {
  const said = (/** @type {Partial<Rule>} */ values) => condition(rule(values)).replace("Anybody dials ", "");
  assert.equal(said({}), "anything");
  assert.equal(said({ pattern: "4711" }), "4711");
  assert.equal(said({ pattern: "+49." }), "what begins with +49");
  assert.equal(said({ pattern: "49X" }), "49X (X: a digit)");
  assert.equal(said({ pattern: "\\X\\." }), "X.");
  assert.equal(said({ domain: "*.example.com" }), "anything at hosts of example.com");
  assert.equal(said({ pattern: "bob", domain: "example.com" }), "bob at example.com");
});

test("who calls, and what happens", () => {
  assert.match(condition(rule({ source: "account", source_name: "alice" })), /^The telephone of alice dials /);
  assert.match(condition(out({ source: "any" })), /^Somebody in a browser dials /);
  assert.equal(consequence(rule({ action: "trunk", target: "a, b" })), "and is put through by one of the trunks a, b.");
  assert.equal(consequence(rule({ target: "lobby" })), "and comes into the room lobby.");
  assert.equal(consequence(rule({ action: "reject", status: 486 })), "and is refused (486).");
});

test("whom a browser reaches", () => {
  assert.equal(callsOut([]), "none");
  assert.equal(callsOut([rule({})]), "none");
  assert.equal(callsOut([out({ enabled: false })]), "none");
  assert.equal(callsOut([out({ pattern: "0900.", action: "reject" })]), "none");
  assert.equal(callsOut([out({ action: "reject" }), out({ position: 20 })]), "refused");
  assert.equal(callsOut([out({ domain: "example.com" })]), "some");
  assert.equal(callsOut([out({ action: "user", skip_missing: true }), out({ position: 20 })]), "all");
  assert.equal(callsOut([out({ action: "trunk", target: "pstn" }), out({ position: 20 })]), "some");
});

test("where a new rule stands", () => {
  assert.equal(freePosition([rule({ position: 1000 })]), 10);
  assert.equal(freePosition(inOrder([rule({ position: 1000 }), rule({ id: 2, position: 40, pattern: "1" })])), 50);
  assert.equal(freePosition([rule({ position: 5 })]), 4);
  assert.equal(freePosition([rule({ position: 0 })]), 0);
  assert.equal(anyAddress([rule({ position: 1000 })]).position, 10);
  assert.equal(anyAddress([out({ position: 70, pattern: "0900.", action: "reject" })]).position, 80);
});
