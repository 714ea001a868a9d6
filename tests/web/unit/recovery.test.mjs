/** The recovery machine, driven by hand. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CONNECT_MS, MAX_REFUSALS, RESTART_MS, Recovery, SHAKY_MS } from "../../../appserver/static/js/recovery.js";

class Driven {
  now = 0;
  recovery = new Recovery(() => 0.999999);

  /** Actions other than changes of phase. @param {(recovery: Recovery, now: number) => void} change */
  does(change) {
    change(this.recovery, this.now);
    return this.recovery.actions().filter((action) => action.do !== "phase");
  }

  /** @param {number} ms */
  later(ms) {
    this.now += ms;
    return this.does((recovery, now) => recovery.timer(now));
  }

  /** @param {string | null} leg */
  welcomed(leg) {
    return this.does((recovery, now) => recovery.welcomed(leg, now));
  }

  /** @param {string} leg */
  answered(leg) {
    return this.does((recovery, now) => recovery.answered(recovery.offer, leg, now));
  }

  /** @param {string} code */
  fails(code) {
    return this.does((recovery, now) => recovery.offerFailed(recovery.offer, code, now));
  }

  /** @param {string} connection @param {string} ice */
  peer(connection, ice = connection) {
    return this.does((recovery, now) => recovery.peer(recovery.generation, connection, ice, now));
  }
}

function connected() {
  const driven = new Driven();
  driven.welcomed(null);
  driven.answered("leg_1");
  driven.peer("connected");
  assert.equal(driven.recovery.phase, "connected");
  return driven;
}

const fresh = (/** @type {number} */ offer, generation = offer) => [{ do: "fresh", offer, generation }];
const restart = (/** @type {number} */ offer, leg = "leg_1") => [{ do: "restart", offer, leg }];

test("a welcome without a leg makes one", () => {
  const driven = new Driven();
  assert.deepEqual(driven.welcomed(null), fresh(1));
  driven.answered("leg_1");
  assert.equal(driven.recovery.phase, "connecting");
  assert.equal(driven.recovery.leg, "leg_1");
});

test("a welcome whose roster has our leg changes nothing", () => {
  const driven = connected();
  driven.recovery.signallingLost();
  assert.deepEqual(driven.welcomed("leg_1"), []);
  assert.equal(driven.recovery.phase, "connected");
});

test("a welcome whose roster lacks our leg, or has another one, makes a fresh one at once", () => {
  assert.deepEqual(connected().welcomed(null), fresh(2));
  assert.deepEqual(connected().welcomed("leg_other"), fresh(2));
});

test("renegotiate makes a fresh leg at once, even while an offer is under way", () => {
  const driven = connected();
  assert.deepEqual(driven.does((recovery) => recovery.renegotiate()), fresh(2));
  assert.deepEqual(driven.does((recovery) => recovery.renegotiate()), fresh(3));
});

test("a short disconnection heals by itself", () => {
  const driven = connected();
  assert.deepEqual(driven.peer("disconnected"), []);
  assert.equal(driven.recovery.phase, "shaky");
  driven.peer("connected");
  assert.equal(driven.recovery.phase, "connected");
  assert.equal(driven.recovery.deadline(), null);
});

test("a disconnection of two seconds restarts ICE on the leg", () => {
  const driven = connected();
  driven.peer("disconnected");
  assert.deepEqual(driven.later(SHAKY_MS - 1), []);
  assert.deepEqual(driven.later(1), restart(2));
  driven.answered("leg_1");
  driven.peer("connected");
  assert.equal(driven.recovery.phase, "connected");
});

test("failed ICE restarts at once", () => {
  assert.deepEqual(connected().peer("failed"), restart(2));
});

test("failed DTLS needs a fresh connection", () => {
  const driven = connected();
  assert.deepEqual(driven.peer("failed", "connected"), []);
  assert.deepEqual(driven.later(250), fresh(2));
});

test("a refused restart, or one that does not connect, makes a fresh leg", () => {
  const refused = connected();
  refused.peer("failed");
  assert.deepEqual(refused.fails("leg-unknown"), fresh(3, 2));
  const dead = connected();
  dead.peer("failed");
  dead.answered("leg_1");
  dead.later(RESTART_MS);
  assert.deepEqual(dead.later(250), fresh(3, 2));
});

test("the state left over from before a restart's answer is not its outcome", () => {
  const driven = connected();
  driven.peer("disconnected");
  driven.later(SHAKY_MS);
  assert.deepEqual(driven.peer("failed"), []);
  assert.equal(driven.recovery.phase, "restarting");
});

test("without signalling a restart waits for it", () => {
  const driven = connected();
  driven.recovery.signallingLost();
  driven.peer("disconnected");
  assert.deepEqual(driven.later(SHAKY_MS), []);
  assert.equal(driven.recovery.phase, "broken");
  assert.deepEqual(driven.welcomed("leg_1"), restart(2));
});

test("a restart cut short by the loss of signalling is repeated when it is back", () => {
  const driven = connected();
  driven.peer("failed");
  driven.recovery.signallingLost();
  assert.deepEqual(driven.fails("disconnected"), []);
  assert.deepEqual(driven.welcomed("leg_1"), restart(3));
});

test("a fresh offer cut short is made again with the next welcome", () => {
  const driven = new Driven();
  driven.welcomed(null);
  driven.recovery.signallingLost();
  assert.deepEqual(driven.fails("disconnected"), []);
  assert.deepEqual(driven.later(60_000), []);
  assert.deepEqual(driven.welcomed(null), fresh(2));
});

test("a failing media server is tried again with growing pauses, then the place is asked for anew", () => {
  const driven = new Driven();
  driven.welcomed(null);
  const waits = [];
  const actions = [];
  for (let index = 0; index < 5; index += 1) {
    actions.push(...driven.fails("media-server-down"));
    waits.push(Math.round((driven.recovery.deadline() ?? 0) - driven.now));
    driven.later(2000);
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000, 2000]);
  assert.deepEqual(actions, [{ do: "rejoin" }]);
});

test("a room that the media server does not know is asked for anew at once", () => {
  const driven = new Driven();
  driven.welcomed(null);
  assert.deepEqual(driven.fails("room-unknown"), [{ do: "rejoin" }]);
});

test("a full room ends the call, an offer refused for what it says after three tries", () => {
  const full = new Driven();
  full.welcomed(null);
  assert.deepEqual(full.fails("room-full"), [{ do: "drop" }, { do: "end", reason: "room-full" }]);
  const odd = new Driven();
  odd.welcomed(null);
  for (let index = 1; index < MAX_REFUSALS; index += 1) {
    assert.deepEqual(odd.fails("sdp-no-usable-media"), []);
    odd.later(2000);
  }
  assert.deepEqual(odd.fails("sdp-no-usable-media"), [{ do: "drop" }, { do: "end", reason: "incompatible" }]);
});

test("a connection that does not come up is made anew", () => {
  const driven = new Driven();
  driven.welcomed(null);
  driven.answered("leg_1");
  driven.later(CONNECT_MS);
  assert.deepEqual(driven.later(250), fresh(2));
});

test("news of an old peer connection or an old offer is ignored", () => {
  const driven = connected();
  driven.welcomed(null);
  assert.deepEqual(driven.does((recovery, now) => recovery.peer(1, "failed", "failed", now)), []);
  assert.deepEqual(driven.does((recovery, now) => recovery.answered(1, "leg_old", now)), []);
  assert.deepEqual(driven.does((recovery, now) => recovery.offerFailed(1, "timeout", now)), []);
  assert.equal(driven.recovery.phase, "offering");
});

test("a microphone that comes later is offered on the leg, after the offer under way", () => {
  assert.deepEqual(connected().does((recovery, now) => recovery.changed(now)), restart(2));
  const early = new Driven();
  early.welcomed(null);
  assert.deepEqual(early.does((recovery, now) => recovery.changed(now)), []);
  early.answered("leg_1");
  assert.deepEqual(early.peer("connected"), restart(2));
});

test("a lost leg makes a fresh one, unless one is under way already", () => {
  const driven = connected();
  assert.deepEqual(driven.does((recovery) => recovery.legLost()), fresh(2));
  assert.deepEqual(driven.does((recovery) => recovery.legLost()), []);
});

test("a stopped recovery does nothing any more", () => {
  const driven = connected();
  assert.deepEqual(driven.does((recovery) => recovery.stop()), [{ do: "drop" }]);
  assert.deepEqual(driven.welcomed(null), []);
  assert.deepEqual(driven.does((recovery) => recovery.renegotiate()), []);
  assert.deepEqual(driven.does((recovery) => recovery.stop()), []);
});
