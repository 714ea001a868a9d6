/** What the pages beside the meeting reckon by themselves: addresses, where to go after signing in, passwords, times, problems. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { faultsOf, missing } from "../../../appserver/static/js/pages/kit/form.js";
import { strength } from "../../../appserver/static/js/pages/kit/strength.js";
import { soundsLike } from "../../../appserver/static/js/pages/kit/quality.js";
import { ago, fromLocal, span } from "../../../appserver/static/js/pages/kit/times.js";
import { agentName } from "../../../appserver/static/js/pages/me/agent.js";
import { faultsIn, RequestError } from "../../../appserver/static/js/problem.js";
import { FIRST, nextOf, pageOf, PAGES, signInFor } from "../../../appserver/static/js/router.js";
import { FIELD_OF_CODE, PROBLEMS, sentence } from "../../../appserver/static/js/texts/problems.js";

const ORIGIN = "https://meet.example";

test("pages by their paths", () => {
  assert.deepEqual(pageOf("/rooms"), { name: "rooms", id: "" });
  assert.deepEqual(pageOf("/rooms/blue-fox"), { name: "room", id: "blue-fox" });
  assert.deepEqual(pageOf("/records/mtg_1"), { name: "record", id: "mtg_1" });
  assert.deepEqual(pageOf("/admin/users"), { name: "admin", id: "users" });
  for (const path of ["/", "/r/blue-fox", "/rooms/", "/rooms/a/b", "/rooms/%2e", "/signin/x", "/Admin", "/admin/USERS"]) assert.equal(pageOf(path), null, path);
});

test("only the pages of somebody signed in lead to the sign-in page", () => {
  const open = Object.entries(PAGES).filter(([, { signedIn }]) => !signedIn).map(([name]) => name);
  assert.deepEqual(open, ["signin", "signup", "setup", "forgot", "reset", "api"]);
});

test("after signing in one goes to a page of this client, and nowhere else", () => {
  const after = (/** @type {string} */ next) => nextOf(`?next=${encodeURIComponent(next)}`, ORIGIN);
  for (const path of ["/rooms/blue-fox", "/me", "/r/blue-fox", "/"]) assert.equal(after(path), path);
  const evil = [
    "https://evil.example/rooms", "//evil.example/rooms", "/\\evil.example/rooms", "\\\\evil.example/rooms", "/\t/evil.example/rooms", "/\n/evil.example", "javascript:alert(1)",
    "data:text/html,x", "/static/js/main.js", "/api/v1/session", "/rooms/../../evil", "http:/evil.example", "@evil.example/rooms", "/@evil.example", "", "rooms", " /rooms", "https:rooms",
  ];
  for (const text of evil) assert.equal(after(text), FIRST, JSON.stringify(text));
  assert.equal(nextOf("", ORIGIN), FIRST);
  assert.equal(nextOf(new URL(signInFor("/rooms/blue-fox"), ORIGIN).search, ORIGIN), "/rooms/blue-fox");
});

test("strength of passwords", () => {
  assert.equal(strength("short"), "short");
  assert.equal(strength("copper rivals", 8), "fair");
  assert.equal(strength("copper river seven lanterns", 40), "short");
  assert.equal(strength("aaaaaaaaaaaaaaaa"), "weak");
  assert.equal(strength("1234567890123456"), "weak");
  assert.equal(strength("abcdefghijklmnop"), "weak");
  assert.equal(strength("tractor vein low"), "fair");
  assert.equal(strength("copper river seven lanterns"), "good");
});

test("times", () => {
  assert.deepEqual([0, 59, 60, 3600, 5400].map(span), ["0 s", "59 s", "1 min", "1 h", "1 h 30 min"]);
  assert.deepEqual([100, 40, -3500, 90_000 + 100].map((at) => ago(at, 100)), ["just now", "1 minute ago", "1 hour ago", "tomorrow"]);
  assert.equal(fromLocal(""), null);
  assert.equal(fromLocal("2026-05-03T10:00"), new Date(2026, 4, 3, 10).getTime() / 1000);
});

test("what looks the same is called the same", () => {
  assert.deepEqual([4.4, 3.97, 3.94, 3.57, 3.54].map((mos) => soundsLike(mos)[2]), ["good", "good", "fair", "fair", "poor"]);
});

test("browsers by their User-Agent", () => {
  assert.equal(agentName("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0"), "Edge on Windows");
  assert.equal(agentName("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"), "Firefox on Linux");
  assert.equal(agentName("confero-client/1"), "confero-client/1");
  assert.equal(agentName(""), "Unknown program");
});

test("a problem stands at the field that it is about", () => {
  assert.deepEqual(faultsOf(new RequestError("login-taken", ""), ["login", "password"]), { login: PROBLEMS["login-taken"] });
  assert.deepEqual(Object.keys(faultsOf(new RequestError("password-wrong", ""), ["current", "new"])), ["current"]);
  const refused = new RequestError("invalid-body", "", faultsIn([{ loc: "body.pin", type: "string_pattern_mismatch" }, { loc: ["no text"] }, null]));
  assert.deepEqual(Object.keys(faultsOf(refused, ["name", "pin"])), ["pin"]);
  assert.deepEqual(faultsOf(refused, ["name"]), { "": sentence("invalid-body") });
  assert.deepEqual(faultsOf(new Error("x"), ["name"]), { "": PROBLEMS.unknown });
  for (const code of Object.keys(FIELD_OF_CODE)) assert.ok(PROBLEMS[code], code);
});

test("what is missing", () => {
  assert.deepEqual(missing({ login: " ", password: "x" }, { login: "Type it.", password: "Type it." }), { login: "Type it." });
});
