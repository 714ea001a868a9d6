/** Making once: when a key is kept, and when it is a new one. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Once, SAME_MS } from "../../../appserver/static/js/once.js";
import { RequestError } from "../../../appserver/static/js/problem.js";

/** @param {(string | null)[]} answers code of a fault, or null: made; one for each request */
function scene(answers) {
  const scene = { now: 0, waited: 0, sent: /** @type {[Record<string, unknown>, string][]} */ ([]) };
  const once = new Once(() => scene.now, async (ms) => void (scene.waited += ms));
  const send = async (/** @type {Record<string, unknown>} */ body, /** @type {string} */ key) => {
    scene.sent.push([body, key]);
    const fault = answers.shift();
    if (fault) throw new RequestError(fault, "");
    return "made";
  };
  const make = (/** @type {Record<string, unknown>} */ body, /** @type {unknown} */ chosen = undefined) => once.make("/rooms", body, send, chosen).catch((error) => error.code);
  return { scene, make, keys: () => scene.sent.map(([, key]) => key) };
}

test("a lost answer keeps the key for the same wish", async () => {
  const { make, keys } = scene(["timeout", "unreachable", null, null]);
  assert.deepEqual([await make({ name: "A" }), await make({ name: "A" }), await make({ name: "A" }), await make({ name: "A" })], ["timeout", "unreachable", "made", "made"]);
  const [first, second, third, fourth] = keys();
  assert.match(first ?? "", /^[0-9a-f]{32}$/u);
  assert.ok(first === second && second === third);
  assert.notEqual(fourth, first, "what was made may be wished for once more");
});

test("another wish has another key", async () => {
  const { make, keys } = scene(["timeout", null]);
  await make({ name: "A" });
  await make({ name: "B" });
  assert.equal(new Set(keys()).size, 2);
});

test("a refusal ends the wish, and so does what nobody knows", async () => {
  const { make, keys } = scene(["invalid-body", "database-unsure", null]);
  for (let n = 0; n < 3; n += 1) await make({ name: "A" });
  assert.equal(new Set(keys()).size, 3);
});

test("times in a body stay as they were sent first", async () => {
  const { make, scene: { sent } } = scene(["timeout", null]);
  await make({ expires_at: 1000 }, { days: 7 });
  await make({ expires_at: 1005 }, { days: 7 });
  assert.deepEqual(sent[1], sent[0]);
});

test("the first request is waited for while it is worked on", async () => {
  const { make, keys, scene: { sent }, scene: time } = scene(["timeout", "request-in-progress", "request-in-progress", null]);
  await make({ name: "A" });
  assert.equal(await make({ name: "A" }), "made");
  assert.equal(sent.length, 4);
  assert.equal(new Set(keys()).size, 1);
  assert.equal(time.waited, 2000);
});

test("after a while it is a new wish", async () => {
  const { make, keys, scene: time } = scene(["timeout", null]);
  await make({ name: "A" });
  time.now = SAME_MS + 1;
  await make({ name: "A" });
  assert.equal(new Set(keys()).size, 2);
});
