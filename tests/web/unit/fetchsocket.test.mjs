/** Events by fetch, against a fetch that is played; which way is taken; how a stream is read. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { EventLines } from "../../../appserver/static/js/eventlines.js";
import { FetchSocket } from "../../../appserver/static/js/fetchsocket.js";
import { Ways } from "../../../appserver/static/js/ways.js";

const TOPICS = [{ topic: "room:r", epoch: "e", seq: 4 }];
const WELCOME = { type: "welcome", session: "ses_1", topics: TOPICS, resumed: false };
const realFetch = globalThis.fetch;

afterEach(() => {
  globalThis.fetch = realFetch;
});

/** @param {number} seq */
function event(seq) {
  return { topic: "room:r", seq, type: "speakers", speakers: [] };
}

/** A played server: answers in turn, and keeps what it was asked. @param {...(Response | Error)} answers */
function play(...answers) {
  /** @type {{ url: string, token: string, body: any }[]} */
  const asked = [];
  globalThis.fetch = /** @type {any} */ (
    async (/** @type {string} */ url, /** @type {any} */ options) => {
      asked.push({ url, token: options.headers.Authorization, body: JSON.parse(options.body) });
      const answer = answers.shift();
      if (!answer) return new Promise((_, reject) => options.signal.addEventListener("abort", () => reject(new Error("aborted"))));
      if (answer instanceof Error) throw answer;
      return answer;
    }
  );
  return asked;
}

/** A stream of pieces, cut as they are. @param {...string} pieces */
function stream(...pieces) {
  const body = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

/** @param {...unknown} messages */
function poll(...messages) {
  return Response.json({ messages });
}

/** Opens one, says hello, and waits for its end. @param {boolean} polls @param {Record<string, unknown>} more */
async function listen(polls, more = {}) {
  const socket = new FetchSocket("https://x/events", polls);
  /** @type {any[]} */
  const came = [];
  const closed = new Promise((resolve) => {
    socket.onclose = resolve;
  });
  socket.onmessage = ({ data }) => came.push(JSON.parse(data));
  await new Promise((resolve) => {
    socket.onopen = () => resolve(undefined);
  });
  socket.send(JSON.stringify({ type: "hello", token: "t", ...more }));
  return { socket, came, closed };
}

test("a stream brings the messages, wherever it is cut, and its last one is the close", async () => {
  const text = [WELCOME, event(5), { type: "close", code: 4409, reason: "elsewhere" }].map((one) => `data: ${JSON.stringify(one)}\n\n`).join(":\n\n");
  const asked = play(stream(text.slice(0, 30), text.slice(30, 31), text.slice(31)));
  const { came, closed } = await listen(false);
  assert.deepEqual(await closed, { code: 4409, reason: "elsewhere" });
  assert.deepEqual(came, [WELCOME, event(5)]);
  assert.deepEqual(asked, [{ url: "https://x/events/stream", token: "Bearer t", body: {} }]);
});

test("a stream that breaks off is a broken connection", async () => {
  play(stream(`data: ${JSON.stringify(WELCOME)}\n\nda`));
  const { closed } = await listen(false);
  assert.deepEqual(await closed, { code: 1006, reason: "" });
  play(new Error("no network"));
  assert.deepEqual(await (await listen(false)).closed, { code: 1006, reason: "" });
});

test("polls go on from what was seen", async () => {
  const asked = play(poll(WELCOME), poll(event(5), event(6)), poll(), poll({ type: "close", code: 1012, reason: "" }));
  const { came, closed } = await listen(true);
  assert.deepEqual(await closed, { code: 1012, reason: "" });
  assert.deepEqual(came, [WELCOME, event(5), event(6)]);
  assert.deepEqual(asked.map(({ body }) => body.seen?.[0].seq), [undefined, 4, 6, 6]);
  assert.deepEqual(asked.map(({ body }) => body.resume), [undefined, "ses_1", "ses_1", "ses_1"]);
  assert.deepEqual(asked.map(({ body }) => body.greet), [true, false, false, false]);
});

test("whoever comes back says what was seen", async () => {
  const asked = play(stream());
  await (await listen(false, { resume: "ses_1", seen: TOPICS })).closed;
  assert.deepEqual(asked[0]?.body, { resume: "ses_1", seen: TOPICS });
});

test("what HTTP refuses is told as the WebSocket's close code", async () => {
  for (const [status, code] of [[401, 4401], [403, 4403], [429, 4429], [503, 4503], [502, 1006]]) {
    play(Response.json({ type: "urn:confero:problem:some-code" }, { status: Number(status) }));
    assert.deepEqual(await (await listen(false)).closed, { code, reason: "some-code" });
  }
  play(new Response("no such page", { status: 404 }));
  assert.deepEqual(await (await listen(false)).closed, { code: 1006, reason: "" });
});

test("requests go by POST, and their replies come as messages", async () => {
  const asked = play(poll(WELCOME));
  const { socket, came } = await listen(true);
  while (came.length < 1) await new Promise((resolve) => setTimeout(resolve, 1));
  const answers = play(Response.json({ type: "ok", id: 3 }), Response.json({ type: "urn:confero:problem:too-many-requests" }, { status: 429 }));
  socket.send(JSON.stringify({ type: "mute", id: 3, muted: true }));
  socket.send(JSON.stringify({ type: "ping", id: 4 }));
  while (came.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(came[1], { type: "ok", id: 3 });
  assert.deepEqual([came[2].type, came[2].id, came[2].problem.type], ["error", 4, "urn:confero:problem:too-many-requests"]);
  assert.equal(answers[0]?.url, "https://x/events/sessions/ses_1");
  assert.equal(asked[0]?.token, "Bearer t");
  socket.close(1000);
});

test("a closed one says nothing more", async () => {
  play(poll(WELCOME));
  const { socket, came } = await listen(true);
  socket.onclose = () => assert.fail("told of its own close");
  while (came.length < 1) await new Promise((resolve) => setTimeout(resolve, 1));
  socket.close(1000);
  await new Promise((resolve) => setTimeout(resolve, 5));
});

/** The ways taken when connections end so. @param {...(number | "welcome")} happened */
function taken(...happened) {
  const ways = new Ways();
  const found = [ways.way];
  for (const one of happened) {
    if (one === "welcome") ways.welcomed();
    else {
      ways.ended(one);
      found.push(ways.way);
    }
  }
  return found.join(" ");
}

test("a stream comes after two WebSockets in vain, polls after a stream, and then all over again", () => {
  assert.equal(taken(1006, 1006, 4000, 1006), "socket socket stream poll socket");
});

test("a server that answers is no reason for another way", () => {
  assert.equal(taken(4503, 4503, 1006, 4401), "socket socket socket socket socket");
  assert.equal(taken(1006, 1006, 4503), "socket socket stream socket");
});

test("after a break the WebSocket is tried again, once where it did not get through before", () => {
  assert.equal(taken("welcome", 1006, 1006), "socket socket socket");
  assert.equal(taken(1006, 1006, "welcome", 1006, 1006, "welcome", 1012), "socket socket stream socket stream socket");
});

test("asked by a person it is the WebSocket first", () => {
  const ways = new Ways();
  for (const code of [1006, 1006, 1006]) ways.ended(code);
  ways.again();
  assert.equal(ways.way, "socket");
});

test("an event without end is not kept for ever", () => {
  const lines = new EventLines(() => {});
  assert.throws(() => {
    for (let index = 0; index < 100; index += 1) lines.push("x".repeat(100_000));
  }, RangeError);
});
