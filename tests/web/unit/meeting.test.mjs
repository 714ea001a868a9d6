/** The meeting's pure modules: its state, messages and their links, figures of the connection, what a tab can show at a door. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { dropInvitation, invitationFor, keepInvitation, secretIn, takeInvitation } from "../../../appserver/static/js/door.js";
import { pieces } from "../../../appserver/static/js/links.js";
import { applyMeetingEvent, handOf, MAX_MESSAGES, NO_MEETING, raisedBetween, unread, withMessages, withState } from "../../../appserver/static/js/meetingstate.js";
import { dayOf, grouped, spoken } from "../../../appserver/static/js/messages.js";
import { waysOf } from "../../../appserver/static/js/networktest.js";
import { line, point, SPAN_MS, summary, tally, withPoint } from "../../../appserver/static/js/statistics.js";
import { callFault, ENDINGS, reasonOf } from "../../../appserver/static/js/text.js";
import { MEETING_CODES, meetingFault, networkWords } from "../../../appserver/static/js/texts/meeting.js";

/** @typedef {import("../../../appserver/static/js/wire.js").ChatMessage} ChatMessage */

const TOPIC = "room:fox";

/** @param {number} id @param {Partial<ChatMessage>} fields @returns {ChatMessage} */
function message(id, fields = {}) {
  return { id, at: 1000 + id, participant: "p_a", display_name: "Ada", text: `text ${id}`, nonce: null, ...fields };
}

/** @param {ChatMessage} written */
function told(written) {
  return /** @type {const} */ ({ type: "chat", topic: TOPIC, seq: 1, message: written });
}

test("a state that is older than what is known is ignored", () => {
  const newer = withState(NO_MEETING, { ...NO_MEETING.state, version: 5, locked: true });
  assert.equal(withState(newer, { ...NO_MEETING.state, version: 4 }), newer);
  assert.equal(withState(newer, { ...NO_MEETING.state, version: 5 }).state.locked, false);
  assert.equal(applyMeetingEvent(newer, { type: "meeting", topic: TOPIC, seq: 9, state: { ...NO_MEETING.state, version: 6 } }).state.version, 6);
});

test("messages are kept once each, in their order, and no more than a bound", () => {
  const few = [3, 1, 2].reduce((meeting, id) => applyMeetingEvent(meeting, told(message(id))), NO_MEETING);
  assert.deepEqual(few.chat.map(({ id }) => id), [1, 2, 3]);
  assert.equal(withMessages(few, [message(2, { text: "again" })]).chat.length, 3);
  assert.deepEqual(applyMeetingEvent(few, { type: "chat_deleted", topic: TOPIC, seq: 4, id: 2 }).chat.map(({ id }) => id), [1, 3]);
  const many = withMessages(NO_MEETING, Array.from({ length: MAX_MESSAGES + 5 }, (_, id) => message(id)));
  assert.deepEqual([many.chat.length, many.chat[0]?.id], [MAX_MESSAGES, 5]);
});

test("who was a host sees the lobby no more", () => {
  const waiting = [{ participant: "w", display_name: "Grace", kind: /** @type {const} */ ("webrtc"), since: 1 }];
  const host = applyMeetingEvent(NO_MEETING, { type: "lobby", topic: TOPIC, seq: 1, waiting });
  assert.equal(applyMeetingEvent(host, { type: "role", topic: TOPIC, seq: 2, role: "host" }).lobby.length, 1);
  assert.equal(applyMeetingEvent(host, { type: "role", topic: TOPIC, seq: 2, role: "guest" }).lobby.length, 0);
  assert.equal(applyMeetingEvent(host, { type: "left", topic: TOPIC, seq: 3, participant: "p", reason: "left" }), host);
  assert.equal(applyMeetingEvent(host, { type: "ask", topic: TOPIC, seq: 4, what: "unmute", by: "Ada" }).asked, "Ada");
});

test("hands have places, and what one has written is no news", () => {
  const state = { ...NO_MEETING.state, hands: [{ participant: "a", since: 1 }, { participant: "b", since: 2 }] };
  assert.deepEqual(["a", "b", "c"].map((one) => handOf(state, one)), [1, 2, 0]);
  assert.deepEqual(raisedBetween({ ...state, hands: [{ participant: "a", since: 1 }] }, state), ["b"]);
  assert.equal(unread([message(1), message(2, { participant: "own" }), message(3)], 1, "own"), 1);
});

test("messages stand under one name while they are near, of one day and of one person", () => {
  const noon = new Date(2026, 4, 3, 12).getTime() / 1000;
  const at = (/** @type {number} */ id, /** @type {number} */ seconds, who = "p_a") => message(id, { at: noon + seconds, participant: who });
  const groups = grouped([at(1, 0), at(2, 60), at(3, 90, "p_b"), at(4, 100), at(5, 500), at(6, 86_400)]);
  assert.deepEqual(groups.map(({ messages }) => messages.map(({ id }) => id)), [[1, 2], [3], [4], [5], [6]]);
  assert.deepEqual(groups.map(({ newDay }) => newDay), [true, false, false, false, true]);
  assert.equal(dayOf(noon, noon + 5), "Today");
  assert.notEqual(dayOf(noon, noon + 86_400), "Today");
});

test("messages are read out one by one, or as a number", () => {
  assert.equal(spoken([]), "");
  assert.equal(spoken([message(1)]), "Ada: text 1");
  assert.equal(spoken([message(1), message(2, { display_name: "Grace" })]), "2 new messages, the last from Grace");
  assert.ok(spoken([message(1, { text: "x".repeat(2000) })]).length < 300);
});

test("only addresses of the web become links, without the end of the sentence, and nothing is lost", () => {
  /** @type {[string, string[]][]} */
  const cases = [
    ["see https://example.org.", ["https://example.org"]],
    ["(https://example.org/a_(b))", ["https://example.org/a_(b)"]],
    ["https://a.test, http://b.test!", ["https://a.test", "http://b.test"]],
    ["javascript:alert(1) ftp://a.test www.a.test", []],
    ["https://", []],
    ["<img src=https://x.test onerror=1>", ["https://x.test"]],
    ["", []],
  ];
  for (const [text, links] of cases) {
    const found = pieces(text);
    assert.deepEqual(found.flatMap(({ href }) => href ?? []), links, text);
    assert.equal(found.map((one) => one.text).join(""), text);
    for (const { href } of found) assert.ok(href === null || /^https?:$/u.test(new URL(href).protocol));
  }
});

/** @param {number} at @param {Record<string, any>} incoming @param {Record<string, any>} outgoing */
function report(at, incoming, outgoing = {}) {
  return tally(
    [
      { type: "inbound-rtp", kind: "audio", bytesReceived: 0, packetsLost: 0, packetsReceived: 0, jitter: 0, ...incoming },
      { type: "outbound-rtp", kind: "audio", bytesSent: 0, ...outgoing },
      { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.04, localCandidateId: "c1" },
      { id: "c1", type: "local-candidate", candidateType: "relay", protocol: "udp", relayProtocol: "tcp" },
    ],
    at,
  );
}

test("figures of the connection come from two reports", () => {
  const before = report(0, { bytesReceived: 1000, packetsReceived: 100 });
  const after = report(2000, { bytesReceived: 9000, packetsReceived: 195, packetsLost: 5, jitter: 0.012 }, { bytesSent: 4000 });
  assert.deepEqual(point(before, after), { at: 2000, loss: 5, jitter: 12, delay: 40, down: 32, up: 16 });
  assert.equal(after.way, "through a relay, TCP");
  assert.equal(tally([], 0).way, "not known");
  const backwards = point(after, report(4000, {}));
  assert.ok(backwards.down === 0 && backwards.loss === 0, "counters that begin anew give no negative rates");
});

test("two minutes are kept and summed up", () => {
  const at = (/** @type {number} */ seconds, /** @type {number | null} */ delay) => ({ at: seconds * 1000, loss: 0, jitter: 0, delay, down: 0, up: 0 });
  let points = /** @type {readonly ReturnType<typeof at>[]} */ ([]);
  for (let seconds = 0; seconds <= 200; seconds += 2) points = withPoint(points, at(seconds, seconds));
  assert.equal(points.length, SPAN_MS / 2000);
  assert.deepEqual(summary(points, "delay"), { now: 200, mean: 141, worst: 200 });
  assert.equal(summary([at(0, null)], "delay"), null);
  assert.equal(line([at(0, null)], "delay", 240, 56, 100), "");
  assert.match(line(points, "delay", 240, 56, 100), /^M4\.0 10\.1L/u);
});

test("what an invitation's link has in its fragment", () => {
  assert.equal(secretIn("#invitation=abc_-"), "abc_-");
  for (const hash of ["", "#", "#invitation=", "#i=abc"]) assert.equal(secretIn(hash), null, hash);
});

test("an invitation leaves the address bar, stays with the tab, and is dropped when it is of no use", () => {
  const kept = new Map();
  const shown = /** @type {string[]} */ ([]);
  const page = /** @type {any} */ (globalThis);
  page.location = { hash: "#invitation=secret", pathname: "/r/fox", search: "?x=1" };
  page.history = { state: null, replaceState: (/** @type {unknown} */ _state, /** @type {string} */ _title, /** @type {string} */ url) => shown.push(url) };
  page.sessionStorage = { getItem: (/** @type {string} */ key) => kept.get(key) ?? null, setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value), removeItem: (/** @type {string} */ key) => kept.delete(key) };
  takeInvitation("fox");
  assert.deepEqual([shown, invitationFor("fox"), kept.size], [["/r/fox?x=1"], "secret", 1]);
  dropInvitation("fox");
  assert.deepEqual([invitationFor("fox"), kept.size], [null, 0]);
  page.sessionStorage = { getItem: refuse, setItem: refuse, removeItem: refuse };
  keepInvitation("owl", "other");
  assert.equal(invitationFor("owl"), "other");
  assert.equal(invitationFor("fox"), null);
  dropInvitation("owl");
});

function refuse() {
  throw new Error("storage is switched off");
}

test("faults are sentences, and what is shared has its words from one table", () => {
  for (const code of ["held", "csrf", "database-down", "no-such-code"]) assert.match(meetingFault(code), /^[A-Z].*\.$/u, code);
  for (const code of ["no-media", "internal", "no-such-code"]) assert.match(callFault(code), /^[A-Z].*\.$/u, code);
  for (const [code, reason] of Object.entries(MEETING_CODES)) assert.ok(reasonOf(code) === reason && ENDINGS[reason].title, code);
});

test("what the test of the network says", () => {
  const good = (/** @type {import("../../../appserver/static/js/networktest.js").NetworkReport} */ report) => networkWords(report).map((one) => one.good);
  const relays = (/** @type {(number | null)[]} */ ...ms) => ms.map((one, index) => ({ way: /** @type {const} */ (["udp", "tcp", "tls"])[index] ?? "udp", ms: one }));
  assert.deepEqual(good({ direct: true, relays: relays(12, 30) }), [true, true, true]);
  assert.deepEqual(good({ direct: true, relays: [] }), [true, true]);
  assert.deepEqual(good({ direct: false, relays: relays(null, null, null) }), [false, false]);
  assert.deepEqual(good({ direct: true, relays: relays(null, 12) }), [true, false, true]);
});

test("each way to a relay is tried by itself", () => {
  const servers = [{ urls: ["stun:a", "turn:a?transport=udp", "turn:a?transport=tcp"], username: "u", credential: "c" }, { urls: "turn:b" }];
  assert.deepEqual(waysOf(servers), [
    { way: "udp", servers: [{ urls: ["turn:a?transport=udp"], username: "u", credential: "c" }, { urls: ["turn:b"] }] },
    { way: "tcp", servers: [{ urls: ["turn:a?transport=tcp"], username: "u", credential: "c" }] },
  ]);
  assert.deepEqual(waysOf([]), []);
});
