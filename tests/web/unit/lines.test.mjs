/** Calls and rings of the page. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_LINES, NO_LINES, SHOWN_MS, applyCallEvent, callOf, expireLines, linesDeadline, withoutRing } from "../../../appserver/static/js/lines.js";

/** @param {string} call @param {Partial<import("../../../appserver/static/js/wire.js").CallEvent>} fields */
function call(call, fields = {}) {
  return /** @type {const} */ ({ type: "call", topic: "room:r", seq: 1, call, state: /** @type {const} */ ("calling"), status: 0, reason: "", name: "Bob", participant: `p_${call}`, user_data: "", headers: {}, ...fields });
}

/** @param {string} call */
function ring(call) {
  return /** @type {const} */ ({ type: "incoming_call", topic: "room:r", seq: 1, call, name: "Bob", number: "4711", stale_s: 12, user_data: "", headers: {} });
}

test("an ended call is shown for a while", () => {
  const running = applyCallEvent(NO_LINES, call("a"), 0);
  assert.equal(linesDeadline(running), null);
  const ended = applyCallEvent(running, call("a", { state: "ended", status: 486 }), 1000);
  assert.equal(linesDeadline(ended), 1000 + SHOWN_MS);
  assert.equal(expireLines(ended, SHOWN_MS), ended);
  assert.equal(expireLines(ended, 1000 + SHOWN_MS).calls.size, 0);
});

test("a ring goes on as long as it is told again", () => {
  const once = applyCallEvent(NO_LINES, ring("a"), 0);
  const twice = applyCallEvent(once, ring("a"), 8000);
  assert.equal(twice.rings.size, 1);
  assert.equal(expireLines(twice, 12_000).rings.size, 1);
  assert.equal(expireLines(twice, 20_000).rings.size, 0);
});

test("a ring stops when it is told, or answered here", () => {
  const two = applyCallEvent(applyCallEvent(NO_LINES, ring("a"), 0), ring("b"), 0);
  assert.deepEqual([...applyCallEvent(two, { type: "ring_stopped", topic: "room:r", seq: 2, call: "a", reason: "accepted" }, 1).rings.keys()], ["b"]);
  assert.deepEqual([...withoutRing(two, "b").rings.keys()], ["a"]);
  assert.equal(withoutRing(two, "c"), two);
});

test("whose telephone it is", () => {
  const lines = applyCallEvent(applyCallEvent(NO_LINES, call("a", { state: "answered" }), 0), call("b", { state: "ended" }), 0);
  assert.equal(callOf(lines, "p_a"), "a");
  assert.equal(callOf(lines, "p_b"), null);
  assert.equal(callOf(lines, "p_c"), null);
});

test("no more than some, and other events change nothing", () => {
  let lines = NO_LINES;
  for (let index = 0; index < 2 * MAX_LINES; index += 1) lines = applyCallEvent(lines, ring(`r${index}`), 0);
  assert.equal(lines.rings.size, MAX_LINES);
  assert.equal(lines.rings.has("r0"), false);
  assert.equal(applyCallEvent(lines, { type: "renegotiate", topic: "room:r", seq: 1, reason: "" }, 0), lines);
});
