/** The small pure modules. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { pathOf, placeOf, roomIn } from "../../../appserver/static/js/address.js";
import { backoff } from "../../../appserver/static/js/backoff.js";
import { elapsed, HUES, hueOf, initials, loudness, peopleHere } from "../../../appserver/static/js/format.js";
import { rtcConfiguration } from "../../../appserver/static/js/media.js";
import { faultOf } from "../../../appserver/static/js/microphone.js";
import { compareMute, MuteKeeper, SETTLE_MS } from "../../../appserver/static/js/mute.js";
import { DOUBT_MS, GATHER_MS, MAX_WAITING, Notices } from "../../../appserver/static/js/notices.js";
import { codeOf, problemCode, RequestError } from "../../../appserver/static/js/problem.js";
import { quality, snapshot } from "../../../appserver/static/js/quality.js";
import { shortcutOf } from "../../../appserver/static/js/shortcuts.js";
import { fitTiles, GAP, tilesSeen } from "../../../appserver/static/js/tiles.js";
import { ENDINGS, reasonOf } from "../../../appserver/static/js/text.js";

test("back-off lies between half of the step and the whole of it", () => {
  assert.equal(backoff(0, () => 0), 125);
  assert.equal(backoff(3, () => 0.5), 1500);
  assert.equal(backoff(4000, () => 1), 2000);
});

test("places", () => {
  assert.deepEqual(placeOf("/"), { page: "home" });
  assert.deepEqual(placeOf("/r/blue-fox"), { page: "room", room: "blue-fox" });
  for (const path of ["/x", "/r/", "/r/a/b", "/r/%3Cscript%3E", `/r/${"a".repeat(65)}`]) assert.deepEqual(placeOf(path), { page: "nowhere" }, path);
  assert.equal(pathOf("blue-fox"), "/r/blue-fox");
});

test("a room is found in what a person pastes", () => {
  assert.equal(roomIn(" blue-fox "), "blue-fox");
  assert.equal(roomIn("https://meet.example/r/blue-fox?x=1#y"), "blue-fox");
  for (const text of ["", "two words", "https://meet.example/", "ö"]) assert.equal(roomIn(text), null, text);
});

test("initials", () => {
  const cases = { "Ada Lovelace": "AL", ada: "A", "  jan van der Berg ": "JB", "李 小龍": "李小", "(guest) 7": "G7", "🙂": "🙂", "": "?" };
  for (const [name, letters] of Object.entries(cases)) assert.equal(initials(name), letters, name);
});

test("a hue is the same for the same name and within range", () => {
  for (const name of ["", "Ada", "🙂", "x".repeat(500)]) {
    assert.equal(hueOf(name), hueOf(name));
    assert.ok(hueOf(name) >= 0 && hueOf(name) < HUES);
  }
});

test("times, counts and levels", () => {
  assert.deepEqual([0, 59.9, 60, 3599, 3600, 36_061, -5].map(elapsed), ["0:00", "0:59", "1:00", "59:59", "1:00:00", "10:01:01", "0:00"]);
  assert.deepEqual([0, 1, 2].map(peopleHere), ["Nobody is here yet", "1 person is here", "2 people are here"]);
  assert.deepEqual([0, 10, 35, 60, 127].map(loudness), [1, 1, 0.5, 0, 0]);
});

test("problems", () => {
  assert.equal(problemCode("urn:confero:problem:room-full"), "room-full");
  assert.equal(problemCode("about"), "unknown");
  assert.equal(problemCode(undefined), "unknown");
  assert.equal(codeOf(new RequestError("timeout", "")), "timeout");
  assert.equal(codeOf(new Error("x")), "unknown");
  for (const code of ["room-full", "room-unknown", "no-media-server", "unreachable"]) assert.equal(reasonOf(code), code);
  assert.deepEqual(["database-down", "database-unsure"].map(reasonOf), ["database", "database"]);
  assert.equal(reasonOf("whatever"), "unknown");
  for (const [reason, { title, detail }] of Object.entries(ENDINGS)) assert.ok(title && detail, reason);
});

test("the errors of getUserMedia", () => {
  const named = (/** @type {string} */ name) => faultOf(new DOMException("", name));
  assert.deepEqual(["NotAllowedError", "NotFoundError", "OverconstrainedError", "NotReadableError", "OddError"].map(named), ["refused", "none", "none", "busy", "failed"]);
  assert.equal(faultOf("odd"), "failed");
});

test("absent credentials of an ICE server are left out", () => {
  const whole = { urls: ["turn:x"], username: "u", credential: "c" };
  const given = { ice_servers: [{ urls: ["stun:x"], username: null, credential: null }, whole], ice_policy: /** @type {"relay"} */ ("relay") };
  assert.deepEqual(rtcConfiguration(given), { iceServers: [{ urls: ["stun:x"] }, whole], iceTransportPolicy: "relay" });
});

test("the server may mute but never unmute", () => {
  assert.equal(compareMute(false, true), "obey");
  assert.equal(compareMute(true, false), "repeat");
  for (const [wanted, recorded] of [[true, true], [false, false], [true, null], [false, null]]) {
    assert.equal(compareMute(/** @type {boolean} */ (wanted), recorded ?? null), "agree");
  }
});

test("a record that disagrees is obeyed or corrected only once it has settled", () => {
  /** @type {boolean | null} */
  let recorded = null;
  const keeper = new MuteKeeper(() => recorded);
  const at = (/** @type {number} */ now) => {
    keeper.timer(now);
    return keeper.actions();
  };
  keeper.want(false, 0);
  assert.deepEqual(keeper.actions(), [{ do: "send", muted: false }]);
  recorded = true;
  keeper.check(100);
  assert.deepEqual(at(100 + SETTLE_MS - 1), []);
  assert.deepEqual(at(100 + SETTLE_MS), [{ do: "obey" }]);
  keeper.want(true, 5000);
  assert.deepEqual(keeper.actions(), [{ do: "send", muted: true }]);
  recorded = false;
  assert.deepEqual(at(5000 + SETTLE_MS), [{ do: "send", muted: true }]);
  recorded = true;
  assert.deepEqual(at(5000 + SETTLE_MS * 2), []);
  assert.equal(keeper.deadline(), null);
});

test("a new leg is told that it is muted, and only that", () => {
  const keeper = new MuteKeeper(() => null);
  keeper.legIsNew(0);
  assert.deepEqual(keeper.actions(), []);
  keeper.want(true, 0);
  keeper.legIsNew(0);
  assert.deepEqual(keeper.actions(), [{ do: "send", muted: true }, { do: "send", muted: true }]);
});

/** @param {string} id @param {"joined" | "left"} kind @param {boolean} certain @param {string} reason */
function notice(id, kind, certain = true, reason = kind) {
  return { kind, id, name: id.toUpperCase(), reason, certain };
}

/** @param {Notices} notices @param {number} now */
function due(notices, now) {
  notices.timer(now);
  return notices.actions();
}

test("comings are gathered into one announcement", () => {
  const notices = new Notices();
  notices.add([notice("a", "joined"), notice("b", "joined")], 0);
  assert.deepEqual(due(notices, GATHER_MS - 1), []);
  assert.deepEqual(due(notices, GATHER_MS), ["A and B joined"]);
  notices.add(["a", "b", "c"].map((id) => notice(id, "left", true, "removed")), 1000);
  assert.deepEqual(due(notices, 1000 + GATHER_MS), ["3 people were removed"]);
  assert.equal(notices.deadline(), null);
});

test("who vanishes and comes back is not announced", () => {
  const notices = new Notices();
  notices.add([notice("a", "left", false)], 0);
  notices.add([notice("a", "joined")], DOUBT_MS - 1);
  assert.deepEqual(due(notices, DOUBT_MS * 2), []);
  notices.add([notice("a", "left", false)], 0);
  assert.equal(notices.deadline(), DOUBT_MS);
  assert.deepEqual(due(notices, DOUBT_MS), ["A lost the connection"]);
});

test("notices that wait are bounded", () => {
  const notices = new Notices();
  notices.add(Array.from({ length: MAX_WAITING * 2 }, (_, index) => notice(`p${index}`, "joined")), 0);
  assert.deepEqual(due(notices, GATHER_MS), [`${MAX_WAITING} people joined`]);
});

test("the quality of a connection", () => {
  const stats = [
    { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.03 },
    { type: "candidate-pair", nominated: false, currentRoundTripTime: 9 },
    { type: "inbound-rtp", kind: "audio", packetsReceived: 100, packetsLost: 1, jitter: 0.004 },
    { type: "remote-inbound-rtp", kind: "audio", fractionLost: 0 },
    { type: "codec" },
  ];
  const before = snapshot([], 0);
  const after = snapshot(stats, 2000);
  assert.deepEqual(quality(before, after), { grade: "good", rtt: 30, loss: 1 / 101, jitter: 4 });
  assert.equal(quality(before, { ...after, rtt: 0.4 }).grade, "fair");
  assert.equal(quality(before, { ...after, lost: 20 }).grade, "poor");
  assert.equal(quality(before, { ...after, remoteLoss: 0.05 }).grade, "fair");
  assert.equal(quality(after, snapshot([], 0)).loss, 0);
});

test("hands are told like comings, and do not undo them", () => {
  const notices = new Notices();
  const one = (/** @type {"joined" | "raised"} */ kind, /** @type {string} */ id) => ({ kind, id, name: id, reason: "", certain: true });
  notices.add([one("joined", "Ada"), one("raised", "Ada"), one("raised", "Grace"), one("raised", "Mary")], 0);
  notices.timer(GATHER_MS);
  assert.deepEqual(notices.actions(), ["Ada joined", "3 people raised a hand"]);
  assert.equal(notices.deadline(), null);
});

test("keys are found by what is written on them", () => {
  assert.deepEqual(["m", "M", "?", "h", "x", "Enter"].map(shortcutOf), ["mute", "mute", "help", "hand", null, null]);
});

test("tiles fill the stage in balanced rows", () => {
  assert.deepEqual(fitTiles(1, 920, 650), { width: 520, height: 380, face: 136, scrolls: false });
  const six = fitTiles(6, 924, 660);
  assert.equal(Math.floor((924 + GAP) / (six.width + GAP)), 3);
  assert.ok(six.height * 2 + GAP <= 660);
  const phone = fitTiles(6, 336, 600);
  assert.equal(Math.floor((336 + GAP) / (phone.width + GAP)), 2);
  assert.ok(!phone.scrolls && phone.height * 3 + GAP * 2 <= 600);
});

test("as many tiles as are seen at once", () => {
  assert.deepEqual([tilesSeen(336, 560, 25), tilesSeen(890, 540, 25), tilesSeen(1900, 1000, 25), tilesSeen(0, 0, 25)], [8, 20, 25, 2]);
  for (const [width, height] of /** @type {[number, number][]} */ ([[336, 560], [890, 540], [700, 300]])) {
    assert.ok(!fitTiles(tilesSeen(width, height, 25), width, height).scrolls, `${width} x ${height}`);
  }
});

test("tiles that don't fit scroll, and a stage without size has none", () => {
  const many = fitTiles(24, 296, 500);
  assert.deepEqual([many.scrolls, many.width, many.face], [true, 296, 48]);
  assert.equal(fitTiles(3, 0, 0).width, 0);
  for (let count = 0; count < 30; count += 1) {
    for (const [width, height] of [[300, 500], [336, 600], [924, 660], [1900, 300]]) {
      const fit = fitTiles(count, width ?? 0, height ?? 0);
      assert.ok(fit.width <= (width ?? 0) && fit.face >= 48, `${count} in ${width} x ${height}`);
    }
  }
});
