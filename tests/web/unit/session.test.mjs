/** The session machine, driven by hand: no socket, no clock. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CONNECT_MS,
  GREET_MS,
  LEAVE_MS,
  MAX_REQUESTS,
  PING_EVERY_MS,
  PONG_MS,
  SETTLED_MS,
  Session,
} from "../../../appserver/static/js/session.js";

const NEVER = () => 0.999999;

/** A session whose actions are gathered as short words. */
class Driven {
  now = 0;
  session = new Session("token-1", NEVER);

  /** @param {(now: number) => void} change */
  step(change) {
    change(this.now);
    return this.session.actions();
  }

  /** Actions other than changes of status. @param {(now: number) => void} change */
  does(change) {
    return this.step(change).filter((action) => action.do !== "status");
  }

  /** @param {number} ms */
  later(ms) {
    this.now += ms;
    return this.does((now) => this.session.timer(now));
  }

  start() {
    return this.does((now) => this.session.start(now));
  }

  opened() {
    return this.does((now) => this.session.opened(now));
  }

  /** @param {unknown} message */
  receives(message) {
    return this.does((now) => this.session.received(typeof message === "string" ? message : JSON.stringify(message), now));
  }

  /** @param {number} code @param {string} reason */
  closed(code, reason = "") {
    return this.does((now) => this.session.closed(code, reason, now));
  }

  /** Up to the welcome. @param {Record<string, unknown>} fields */
  welcomed(fields = {}) {
    this.opened();
    return this.receives(welcome(fields));
  }
}

/** @param {Record<string, unknown>} fields */
function welcome(fields = {}) {
  const topics = [at("room:r1", 0), at("participant:p1", 4)];
  return { type: "welcome", session: "ses_1", topics, resumed: false, participant: "p1", room: "r1", room_name: "R", roster: [], ...fields };
}

/** @param {string} topic @param {number} seq @param {string} epoch */
function at(topic, seq, epoch = "e1") {
  return { topic, epoch, seq };
}

/** @param {number} seq @param {string} topic */
function speakers(seq, topic = "room:r1") {
  return { topic, seq, type: "speakers", speakers: [] };
}

function open() {
  const driven = new Driven();
  driven.start();
  driven.welcomed();
  return driven;
}

/** @param {any[]} actions */
function sent(actions) {
  return actions.filter((action) => action.do === "send").map((action) => JSON.parse(action.text));
}

test("hello carries the token and nothing to resume at first", () => {
  const driven = new Driven();
  assert.deepEqual(driven.start(), [{ do: "connect" }]);
  assert.deepEqual(sent(driven.opened()), [{ type: "hello", token: "token-1" }]);
  const [action] = driven.receives(welcome());
  assert.equal(action?.do, "welcome");
  assert.equal(driven.session.status, "open");
});

test("events are given in order, a repeated one once", () => {
  const driven = open();
  assert.equal(driven.receives(speakers(1)).length, 1);
  assert.equal(driven.receives(speakers(1)).length, 0);
  assert.equal(driven.receives(speakers(2)).length, 1);
});

test("topics are counted each by itself", () => {
  const driven = open();
  assert.equal(driven.receives(speakers(1)).length, 1);
  assert.equal(driven.receives(speakers(5, "participant:p1")).length, 1);
  assert.equal(driven.receives(speakers(2)).length, 1);
});

test("an event of a topic that was not named is a gap", () => {
  const driven = open();
  assert.deepEqual(driven.receives(speakers(1, "room:r2")), [{ do: "close", code: 4000 }]);
});

test("an event with an id is no reply", () => {
  const driven = open();
  const played = { topic: "room:r1", seq: 1, type: "played", id: 1 };
  assert.deepEqual(driven.receives(played), [{ do: "event", event: played }]);
});

test("a gap breaks the connection and gives the session up, so that the whole roster comes", () => {
  const driven = open();
  assert.deepEqual(driven.receives(speakers(3)), [{ do: "close", code: 4000 }]);
  assert.equal(driven.session.status, "waiting");
  driven.later(250);
  assert.deepEqual(sent(driven.opened()), [{ type: "hello", token: "token-1" }]);
});

test("a broken connection is resumed from the last event", () => {
  const driven = open();
  driven.receives(speakers(1));
  driven.now += SETTLED_MS;
  driven.closed(1006);
  assert.deepEqual(driven.later(250), [{ do: "connect" }]);
  assert.deepEqual(sent(driven.opened()), [{ type: "hello", token: "token-1", resume: "ses_1", seen: [at("room:r1", 1), at("participant:p1", 4)] }]);
  driven.receives(welcome({ resumed: true, topics: [at("room:r1", 1), at("participant:p1", 4)] }));
  assert.equal(driven.receives(speakers(2)).length, 1);
});

test("a session that was not resumed counts from the welcome's numbers", () => {
  const driven = open();
  driven.receives(speakers(1));
  driven.closed(1006);
  driven.later(250);
  driven.opened();
  driven.receives(welcome({ session: "ses_2", topics: [at("room:r1", 7, "e2")] }));
  assert.equal(driven.session.id, "ses_2");
  assert.equal(driven.receives(speakers(8)).length, 1);
});

test("back-off doubles from 0.25 s to 2 s and starts anew after a settled connection", () => {
  const driven = new Driven();
  driven.start();
  const waits = [];
  for (let index = 0; index < 6; index += 1) {
    driven.closed(1006);
    const deadline = driven.session.deadline() ?? 0;
    waits.push(Math.round(deadline - driven.now));
    driven.later(deadline - driven.now);
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000, 2000, 2000]);
  driven.welcomed();
  driven.now += SETTLED_MS;
  driven.closed(1006);
  assert.equal(Math.round((driven.session.deadline() ?? 0) - driven.now), 250);
});

test("a connection that never opens, and one that never welcomes, are given up", () => {
  const driven = new Driven();
  driven.start();
  assert.deepEqual(driven.later(CONNECT_MS), [{ do: "close", code: 4000 }]);
  driven.later(250);
  driven.opened();
  assert.deepEqual(driven.later(GREET_MS), [{ do: "close", code: 4000 }]);
  assert.equal(driven.session.status, "waiting");
});

test("the person or the network coming back ends the wait", () => {
  const driven = open();
  driven.closed(1006);
  assert.deepEqual(driven.does((now) => driven.session.wake(now)), [{ do: "connect" }]);
  assert.deepEqual(driven.does((now) => driven.session.wake(now)), []);
});

test("whoever wakes up finds out at once whether what looks open still is", () => {
  const driven = open();
  assert.equal(sent(driven.does((now) => driven.session.wake(now)))[0]?.type, "ping");
  assert.deepEqual(driven.does((now) => driven.session.wake(now)), [], "one question is enough");
  assert.deepEqual(driven.later(PONG_MS)[0], { do: "close", code: 4000 });
});

test("an account's session is welcomed without a roster, a room's is not", () => {
  const forAccount = new Session("token", () => 1, false);
  const forRoom = new Session("token", () => 1);
  for (const session of [forAccount, forRoom]) {
    session.start(0);
    session.opened(0);
    session.received(JSON.stringify({ type: "welcome", session: "ses_1", topics: [at("user:u1", 0)], resumed: false, user: "u1" }), 0);
  }
  assert.deepEqual([forAccount.status, forRoom.status], ["open", "waiting"]);
});

test("a request is answered by its id, once", () => {
  const driven = open();
  const [action] = sent(driven.does((now) => driven.session.request({ type: "mute", muted: true }, now, 1000)));
  assert.deepEqual(action, { type: "mute", muted: true, id: 1 });
  assert.deepEqual(driven.receives({ type: "ok", id: 1 }), [{ do: "reply", id: 1, message: { type: "ok", id: 1 } }]);
  assert.deepEqual(driven.receives({ type: "ok", id: 1 }), []);
});

test("an error carries the code of its problem", () => {
  const driven = open();
  driven.does((now) => driven.session.request({ type: "offer", sdp: "v=0" }, now, 1000));
  const problem = { type: "urn:confero:problem:room-full", title: "", status: 409, detail: "Full." };
  assert.deepEqual(driven.receives({ type: "error", id: 1, problem }), [{ do: "fail", id: 1, code: "room-full", detail: "Full." }]);
});

test("a request fails when its time is up, when the connection breaks and when there is none", () => {
  const driven = open();
  driven.does((now) => driven.session.request({ type: "mute" }, now, 1000));
  assert.equal(driven.session.deadline(), 1000);
  assert.equal(/** @type {any} */ (driven.later(1000)[0]).code, "timeout");
  driven.does((now) => driven.session.request({ type: "mute" }, now, 1000));
  assert.deepEqual(driven.closed(1006).map((action) => /** @type {any} */ (action).code), ["disconnected"]);
  const actions = driven.does((now) => driven.session.request({ type: "mute" }, now, 1000));
  assert.deepEqual(actions.map((action) => /** @type {any} */ (action).code), ["disconnected"]);
});

test("requests under way are bounded", () => {
  const driven = open();
  for (let index = 0; index < MAX_REQUESTS; index += 1) driven.does((now) => driven.session.request({ type: "mute" }, now, 1000));
  const [action] = driven.does((now) => driven.session.request({ type: "mute" }, now, 1000));
  assert.equal(/** @type {any} */ (action).code, "busy");
});

test("pings keep the connection; a missing answer breaks it", () => {
  const driven = open();
  const [ping] = sent(driven.later(PING_EVERY_MS));
  assert.equal(ping.type, "ping");
  assert.deepEqual(driven.receives({ type: "ok", id: ping.id }), []);
  assert.deepEqual(driven.later(PONG_MS), []);
  driven.later(PING_EVERY_MS - PONG_MS);
  assert.deepEqual(driven.later(PONG_MS), [{ do: "close", code: 4000 }]);
  assert.equal(driven.session.status, "waiting");
});

test("4401 asks for a new token at once and resumes with it", () => {
  const driven = open();
  assert.deepEqual(driven.closed(4401), [{ do: "refresh", token: "token-1" }]);
  assert.deepEqual(driven.does((now) => driven.session.refreshed("token-2", now)), [{ do: "connect" }]);
  assert.deepEqual(sent(driven.opened()), [{ type: "hello", token: "token-2", resume: "ses_1", seen: [at("room:r1", 0), at("participant:p1", 4)] }]);
});

test("a refresh that fails for now is tried again, one that never can ends the session", () => {
  const driven = open();
  driven.closed(4401);
  driven.does((now) => driven.session.refreshFailed(null, now));
  assert.equal(driven.session.status, "waiting");
  assert.deepEqual(driven.later(2000), [{ do: "refresh", token: "token-1" }]);
  assert.deepEqual(driven.does((now) => driven.session.refreshFailed("expired", now)), [{ do: "end", reason: "expired" }]);
});

test("a token refused again and again ends the session", () => {
  const driven = open();
  for (let index = 0; index < 3; index += 1) {
    driven.closed(4401);
    if (driven.session.status === "waiting") driven.later(2000);
    driven.does((now) => driven.session.refreshed("token", now));
    driven.opened();
  }
  assert.deepEqual(driven.closed(4401), [{ do: "end", reason: "expired" }]);
});

test("removed and opened elsewhere end at once; a malformed message after three times; a full notifier is tried again", () => {
  assert.deepEqual(open().closed(4403, "removed from the room"), [{ do: "end", reason: "removed" }]);
  assert.deepEqual(open().closed(4403, "room-unknown"), [{ do: "end", reason: "room-unknown" }]);
  assert.deepEqual(open().closed(4409), [{ do: "end", reason: "elsewhere" }]);
  const crowded = open();
  assert.deepEqual(crowded.closed(4403, "too-many-sessions"), []);
  assert.equal(crowded.session.deadline(), 2000);
  const driven = open();
  for (let index = 0; index < 3; index += 1) {
    assert.deepEqual(driven.closed(4400), []);
    driven.later(2000);
    driven.welcomed();
  }
  assert.deepEqual(driven.closed(4400), [{ do: "end", reason: "protocol" }]);
});

test("renew drops the connection and asks for a token first", () => {
  const driven = open();
  assert.deepEqual(driven.does(() => driven.session.renew()), [{ do: "close", code: 4000 }, { do: "refresh", token: "token-1" }]);
  assert.deepEqual(driven.does(() => driven.session.renew()), []);
});

test("leaving waits for the server to close, and not for long", () => {
  const polite = open();
  assert.equal(sent(polite.does((now) => polite.session.leave(now)))[0].type, "leave");
  assert.equal(polite.session.status, "leaving");
  polite.closed(1000);
  assert.equal(polite.session.status, "ended");
  const alone = open();
  alone.does((now) => alone.session.leave(now));
  assert.deepEqual(alone.later(LEAVE_MS), [{ do: "close", code: 1000 }]);
  assert.equal(alone.session.status, "ended");
});

test("an ended session does nothing any more", () => {
  const driven = open();
  driven.closed(4403);
  assert.deepEqual(driven.does((now) => driven.session.leave(now)), []);
  assert.deepEqual(driven.does((now) => driven.session.start(now)), []);
  assert.deepEqual(driven.closed(1006), []);
  assert.equal(driven.session.deadline(), null);
});

test("nonsense from the server breaks the connection, never the page", () => {
  for (const text of ["", "[]", "null", "7", "{", '"x"', '{"type":"welcome"}']) {
    const driven = new Driven();
    driven.start();
    driven.opened();
    assert.deepEqual(driven.receives(text), [{ do: "close", code: 4000 }], text);
    assert.equal(driven.session.status, "waiting");
  }
});

test("messages of a later version are ignored", () => {
  const driven = open();
  assert.deepEqual(driven.receives({ type: "hologram" }), []);
  assert.deepEqual(driven.receives({ type: "ok", id: 999 }), []);
  assert.equal(driven.session.status, "open");
});
