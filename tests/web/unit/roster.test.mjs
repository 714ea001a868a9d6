/** Who is in the room and who talks. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY, applyEvent, applyRoster, shownTiles } from "../../../appserver/static/js/roster.js";

/** @typedef {import("../../../appserver/static/js/wire.js").Participant} Participant */

/** @param {string} id @param {Partial<Participant>} fields @returns {Participant} */
function person(id, fields = {}) {
  return { id, display_name: id.toUpperCase(), role: "guest", kind: "webrtc", leg: `leg_${id}`, muted: false, deaf: false, held: false, state: "connected", ...fields };
}

/** @param {string[]} ids */
function room(...ids) {
  return applyRoster(EMPTY, ids.map((id) => person(id))).view;
}

test("a roster replaces the one before and tells who came and who vanished", () => {
  const { view, notices } = applyRoster(room("a", "b"), [person("b"), person("c")]);
  assert.deepEqual([...view.people.keys()], ["b", "c"]);
  assert.deepEqual(notices.map((notice) => [notice.kind, notice.id, notice.certain]), [["left", "a", false], ["joined", "c", true]]);
});

test("a participant event changes one and keeps the order", () => {
  const { view, notices } = applyEvent(room("a", "b"), { type: "participant", topic: "room:r", seq: 1, participant: person("a", { muted: true }) });
  assert.deepEqual([...view.people.keys()], ["a", "b"]);
  assert.equal(view.people.get("a")?.muted, true);
  assert.deepEqual(notices, []);
});

test("a participant event may be the first word of somebody", () => {
  const { notices } = applyEvent(room("a"), { type: "participant", topic: "room:r", seq: 1, participant: person("b") });
  assert.deepEqual(notices.map((notice) => notice.kind), ["joined"]);
});

test("who left is gone from people and speakers, and a second word of it is no news", () => {
  const talking = applyEvent(room("a", "b"), { type: "speakers", topic: "room:r", seq: 1, speakers: [{ participant: "a", level: 20 }] }).view;
  const first = applyEvent(talking, { type: "left", topic: "room:r", seq: 2, participant: "a", reason: "left" });
  assert.deepEqual([...first.view.people.keys()], ["b"]);
  assert.equal(first.view.speakers.size, 0);
  assert.equal(first.notices[0]?.certain, true);
  assert.deepEqual(applyEvent(first.view, { type: "left", topic: "room:r", seq: 3, participant: "a", reason: "left" }).notices, []);
  assert.deepEqual(applyRoster(first.view, [person("b")]).notices, []);
});

test("a replaced leg is no leaving", () => {
  const before = room("a");
  assert.equal(applyEvent(before, { type: "left", topic: "room:r", seq: 1, participant: "a", reason: "replaced" }).view, before);
});

test("speakers come with their loudness, loudest first", () => {
  const speakers = [{ participant: "b", level: 10 }, { participant: "a", level: 35 }];
  const { view } = applyEvent(room("a", "b"), { type: "speakers", topic: "room:r", seq: 1, speakers });
  assert.deepEqual([...view.speakers], [["b", 1], ["a", 0.5]]);
});

test("events about other things leave the view as it is", () => {
  const before = room("a");
  assert.equal(applyEvent(before, { type: "renegotiate", topic: "room:r", seq: 1, reason: "x" }).view, before);
  assert.equal(applyEvent(before, /** @type {any} */ ({ type: "hologram", topic: "room:r", seq: 1 })).view, before);
});

test("tiles: oneself first, the others as they came", () => {
  assert.deepEqual(shownTiles(room("a", "b", "c"), "b", 10).map((one) => one.id), ["b", "a", "c"]);
});

test("tiles: a talker who would not fit takes the place of the last who is silent, never oneself", () => {
  const view = { ...room("a", "b", "c", "d"), speakers: new Map([["d", 1], ["c", 0.5]]) };
  assert.deepEqual(shownTiles(view, "a", 2).map((one) => one.id), ["a", "c"]);
  assert.deepEqual(shownTiles(view, "a", 3).map((one) => one.id), ["a", "d", "c"]);
  assert.deepEqual(shownTiles({ ...view, speakers: new Map() }, "a", 3).map((one) => one.id), ["a", "b", "c"]);
});
