/** The server, its database and the computer go away and come back. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { LONGEST_MS, OutageWatch } from "../../../appserver/static/js/outage.js";
import { hasSlept } from "../../../appserver/static/js/wakeup.js";

test("what failed is asked for again until it is answered", () => {
  const watch = new OutageWatch();
  watch.failed("database-down", "/api/v1/rooms", 0, 0);
  assert.deepEqual([watch.away, watch.deadline(), watch.actions()], ["database-down", 2000, []]);
  watch.timer(1999);
  assert.deepEqual(watch.actions(), []);
  watch.timer(2000);
  assert.deepEqual(watch.actions(), [{ do: "probe", path: "/api/v1/rooms" }]);
  watch.failed("database-down", "/api/v1/rooms", 0, 2100);
  assert.equal(watch.deadline(), 6100);
  watch.answered("/api/v1/site");
  assert.equal(watch.away, "database-down", "what needs no database says nothing about it");
  watch.answered("/api/v1/rooms");
  assert.deepEqual([watch.away, watch.deadline(), watch.actions()], [null, null, [{ do: "back" }]]);
});

test("the server says how long to wait, within reason, and nobody waits for ever", () => {
  const watch = new OutageWatch();
  watch.failed("database-down", null, 5000, 0);
  assert.equal(watch.deadline(), 5000);
  watch.failed("database-down", null, 3_600_000, 0);
  assert.equal(watch.deadline(), LONGEST_MS);
  let now = 0;
  for (let tries = 0; tries < 30; tries += 1) {
    now = watch.deadline() ?? 0;
    watch.timer(now);
    assert.deepEqual(watch.actions(), [{ do: "probe", path: "/api/v1/session" }]);
    assert.ok((watch.deadline() ?? 0) > now, "a question that is never answered is another failure");
    watch.failed("unreachable", null, 0, now);
    assert.ok((watch.deadline() ?? 0) - now <= LONGEST_MS);
  }
});

test("a server that can't be reached is back with any answer; a refusal is no outage; impatience asks at once", () => {
  const watch = new OutageWatch();
  for (const code of ["room-unknown", "unavailable", "no-media-server", "csrf"]) watch.failed(code, "/x", 0, 0);
  watch.hurry(0);
  watch.answered("/x");
  assert.deepEqual([watch.away, watch.deadline(), watch.actions()], [null, null, []]);
  watch.failed("timeout", "/x", 0, 0);
  watch.hurry(10);
  assert.deepEqual(watch.actions(), [{ do: "probe", path: "/x" }]);
  watch.answered("/y");
  assert.deepEqual(watch.actions(), [{ do: "back" }]);
});

test("a long gap is a sleep; a hidden page's slow clock is none", () => {
  assert.deepEqual([2000, 9000, 13_000].map((gap) => hasSlept(gap, false)), [false, false, true]);
  assert.deepEqual([62_000, 3_600_000].map((gap) => hasSlept(gap, true)), [false, true]);
});
