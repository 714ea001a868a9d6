/**
 * The events connection as a machine without I/O: calls and `now` (ms) go in, actions and the next deadline come out.
 *
 * It greets, numbers requests and gives up on them, pings, notices gaps, waits with back-off, resumes and asks for a new token.
 * signaling.js gives it a WebSocket and a clock.
 */

import { backoff } from "./backoff.js";
import { closePolicy } from "./closecodes.js";
import { Positions } from "./positions.js";
import { problemCode } from "./problem.js";
import { Requests } from "./requests.js";

/** @typedef {import("./wire.js").Welcome} Welcome */
/** @typedef {import("./wire.js").RoomEvent} RoomEvent */
/** @typedef {import("./text.js").EndReason} EndReason */
/** @typedef {"idle" | "connecting" | "greeting" | "open" | "waiting" | "refreshing" | "leaving" | "ended"} Status */
/** @typedef {{ type: string, id: number, [field: string]: unknown }} ReplyMessage */

/**
 * @typedef {{ do: "connect" }
 *   | { do: "send", text: string }
 *   | { do: "close", code: number }
 *   | { do: "refresh", token: string }
 *   | { do: "status", status: Status }
 *   | { do: "welcome", welcome: Welcome }
 *   | { do: "event", event: RoomEvent }
 *   | { do: "reply", id: number, message: ReplyMessage }
 *   | { do: "fail", id: number, code: string, detail: string }
 *   | { do: "end", reason: EndReason }} SessionAction
 */

export const CONNECT_MS = 4000;
export const GREET_MS = 5000;
export const PING_EVERY_MS = 10_000;
export const PONG_MS = 5000;
/** A connection that lived this long was a good one: the next back-off starts from the beginning. */
export const SETTLED_MS = 3000;
/** The server closes after our good-bye; if it does not, we do. */
export const LEAVE_MS = 1000;
/** Requests under way; one more is refused at once. Far above what a person can cause. */
export const MAX_REQUESTS = 64;
/** Close code of our own for a connection that we found broken. */
const GIVE_UP = 4000;

export class Session {
  /** @type {Status} */
  status = "idle";
  /** @type {string | null} */
  id = null;
  #positions = new Positions();
  /** @type {string} */
  #token;
  #random;
  #inRoom;
  /** @type {SessionAction[]} */
  #actions = [];
  #requests = new Requests(MAX_REQUESTS);
  #nextId = 1;
  #failures = 0;
  /** @type {{ code: number, times: number }} the same close code in a row */
  #streak = { code: 0, times: 0 };
  #mustRefresh = false;
  #openedAt = 0;
  /** @type {number | null} connecting, greeting or waiting until */
  #until = null;
  #pingAt = Infinity;
  /** @type {number | null} */
  #pingId = null;

  /**
   * @param {string} token of the join
   * @param {() => number} random for the jitter
   * @param {boolean} inRoom whether a welcome has a roster; that of an account has none
   */
  constructor(token, random = Math.random, inRoom = true) {
    this.#token = token;
    this.#random = random;
    this.#inRoom = inRoom;
  }

  /** @returns {SessionAction[]} what to do now, in order; each is given once */
  actions() {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  /** @returns {number | null} when `timer` wants to be called */
  deadline() {
    const due = Math.min(this.#until ?? Infinity, this.status === "open" ? this.#pingAt : Infinity, this.#requests.next());
    return due === Infinity ? null : due;
  }

  /** @param {number} now */
  start(now) {
    if (this.status === "idle") this.#connect(now);
  }

  /** @param {number} now */
  opened(now) {
    if (this.status !== "connecting") return;
    this.#enter("greeting", now + GREET_MS);
    const hello = { type: "hello", token: this.#token, ...(this.id ? { resume: this.id, seen: this.#positions.list() } : {}) };
    this.#actions.push({ do: "send", text: JSON.stringify(hello) });
  }

  /**
   * One text message of the connection. What can't be understood breaks the connection, never the page.
   * @param {string} text
   * @param {number} now
   */
  received(text, now) {
    if (this.status !== "greeting" && this.status !== "open") return;
    const message = parse(text);
    if (!message) return this.#abandon(now);
    if (message.type === "welcome") return this.#welcomed(/** @type {any} */ (message), now);
    if (typeof message.topic === "string") return this.#happened(/** @type {any} */ (message), now);
    if (typeof message.id === "number") this.#replied(/** @type {ReplyMessage} */ (message));
  }

  /**
   * The connection has ended, from whichever side.
   * @param {number} code
   * @param {string} reason of the CloseEvent
   * @param {number} now
   */
  closed(code, reason, now) {
    if (this.status === "leaving") return this.#enter("ended", null);
    if (!["connecting", "greeting", "open"].includes(this.status)) return;
    const settled = this.status === "open" && now - this.#openedAt >= SETTLED_MS;
    this.#dropRequests("disconnected", "The connection was lost.");
    this.#streak = { code, times: settled || this.#streak.code !== code ? 1 : this.#streak.times + 1 };
    if (settled) this.#failures = 0;
    const policy = closePolicy(code, reason);
    if (policy.then === "end" || this.#streak.times > policy.patience) return this.#end(policy.end);
    if (policy.then === "refresh" && this.#streak.times === 1) return this.#refresh();
    this.#mustRefresh ||= policy.then === "refresh";
    this.#wait(now, policy.minimum + (policy.spread ?? 0) * this.#random());
  }

  /**
   * Sends a request; its `reply` or `fail` comes as an action with the same id.
   * @param {{ type: string, [field: string]: unknown }} message without id
   * @param {number} now
   * @param {number} timeout ms
   * @returns {number} the id
   */
  request(message, now, timeout) {
    const id = this.#nextId++;
    if (this.status !== "open") {
      this.#actions.push({ do: "fail", id, code: "disconnected", detail: "There is no connection." });
    } else if (this.#requests.full) {
      this.#actions.push({ do: "fail", id, code: "busy", detail: "Too many requests are under way." });
    } else {
      this.#requests.add(id, now + timeout);
      this.#actions.push({ do: "send", text: JSON.stringify({ ...message, id }) });
    }
    return id;
  }

  /** Gets a new token and connects anew with it, because the room may live on another media server now. */
  renew() {
    if (["refreshing", "leaving", "ended"].includes(this.status)) return;
    this.#mustRefresh = true;
    if (this.status === "waiting") return;
    this.#dropRequests("disconnected", "The connection is made anew.");
    this.#actions.push({ do: "close", code: GIVE_UP });
    this.#refresh();
  }

  /**
   * @param {string} token the new one
   * @param {number} now
   */
  refreshed(token, now) {
    if (this.status !== "refreshing") return;
    this.#token = token;
    this.#mustRefresh = false;
    this.#connect(now);
  }

  /**
   * @param {EndReason | null} reason why there never will be a token; null: try again later
   * @param {number} now
   */
  refreshFailed(reason, now) {
    if (this.status !== "refreshing") return;
    if (reason) return this.#end(reason);
    this.#mustRefresh = true;
    this.#wait(now, 0);
  }

  /** The network is back, the computer has woken, or the person asked: tries at once, and finds out whether what looks open still is. @param {number} now */
  wake(now) {
    if (this.status === "waiting") this.#proceed(now);
    else if (this.status === "open" && this.#pingId === null) this.#ping(now);
  }

  /** Says good-bye if it can, waits a moment for the server to close, and stops. @param {number} now */
  leave(now) {
    if (this.status === "ended" || this.status === "leaving") return;
    const polite = this.status === "open";
    this.#dropRequests("disconnected", "You left.");
    if (polite) this.#actions.push({ do: "send", text: JSON.stringify({ type: "leave", id: this.#nextId++ }) });
    else this.#actions.push({ do: "close", code: 1000 });
    this.#enter(polite ? "leaving" : "ended", polite ? now + LEAVE_MS : null);
  }

  /** @param {number} now */
  timer(now) {
    const due = this.#until !== null && now >= this.#until;
    if (due && this.status === "waiting") return this.#proceed(now);
    if (due && this.status === "leaving") return this.#farewell();
    if (due && (this.status === "connecting" || this.status === "greeting")) return this.#abandon(now);
    const expired = this.#requests.expire(now);
    for (const id of expired) if (id !== this.#pingId) this.#fail(id, "timeout", "The server did not answer in time.");
    if (this.#pingId !== null && expired.includes(this.#pingId)) return this.#abandon(now);
    if (this.status === "open" && now >= this.#pingAt) this.#ping(now);
  }

  /** The server did not close in time. */
  #farewell() {
    this.#actions.push({ do: "close", code: 1000 });
    this.#enter("ended", null);
  }

  /** @param {number} now */
  #ping(now) {
    this.#pingAt = now + PING_EVERY_MS;
    this.#pingId = this.request({ type: "ping" }, now, PONG_MS);
  }

  /**
   * @param {Welcome} welcome
   * @param {number} now
   */
  #welcomed(welcome, now) {
    if (this.status !== "greeting" || typeof welcome.session !== "string" || (this.#inRoom && !Array.isArray(welcome.roster)) || !Array.isArray(welcome.topics)) {
      return this.#abandon(now);
    }
    this.id = welcome.session;
    this.#positions.reset(welcome.topics);
    this.#openedAt = now;
    this.#pingAt = now + PING_EVERY_MS;
    this.#pingId = null;
    this.#enter("open", null);
    this.#actions.push({ do: "welcome", welcome });
  }

  /**
   * Events are counted without gaps in each topic: a repeated one is dropped, a missing one means that only a fresh roster tells the
   * truth.
   * @param {RoomEvent} event
   * @param {number} now
   */
  #happened(event, now) {
    if (this.status !== "open") return;
    const found = this.#positions.take(event.topic, event.seq);
    if (found === "gap") {
      this.id = null;
      this.#abandon(now);
    } else if (found === "new") {
      this.#actions.push({ do: "event", event });
    }
  }

  /** @param {ReplyMessage} message */
  #replied(message) {
    if (!this.#requests.settle(message.id)) return;
    if (message.id === this.#pingId) {
      this.#pingId = null;
    } else if (message.type === "error") {
      const problem = /** @type {Partial<import("./wire.js").Problem>} */ (message.problem ?? {});
      this.#actions.push({ do: "fail", id: message.id, code: problemCode(problem.type), detail: String(problem.detail ?? "") });
    } else {
      this.#actions.push({ do: "reply", id: message.id, message });
    }
  }

  /**
   * @param {number} id
   * @param {string} code
   * @param {string} detail
   */
  #fail(id, code, detail) {
    this.#actions.push({ do: "fail", id, code, detail });
  }

  /**
   * @param {string} code
   * @param {string} detail
   */
  #dropRequests(code, detail) {
    for (const id of this.#requests.drop()) if (id !== this.#pingId) this.#fail(id, code, detail);
    this.#pingId = null;
  }

  /** We found the connection broken: closes it and goes on as if it had closed. @param {number} now */
  #abandon(now) {
    this.#actions.push({ do: "close", code: GIVE_UP });
    this.closed(GIVE_UP, "", now);
  }

  /** @param {number} now */
  #proceed(now) {
    if (this.#mustRefresh) this.#refresh();
    else this.#connect(now);
  }

  /** @param {number} now */
  #connect(now) {
    this.#enter("connecting", now + CONNECT_MS);
    this.#actions.push({ do: "connect" });
  }

  #refresh() {
    this.#enter("refreshing", null);
    this.#actions.push({ do: "refresh", token: this.#token });
  }

  /**
   * @param {number} now
   * @param {number} minimum ms
   */
  #wait(now, minimum) {
    this.#enter("waiting", now + Math.max(minimum, backoff(this.#failures++, this.#random)));
  }

  /** @param {EndReason} reason */
  #end(reason) {
    this.#dropRequests("disconnected", "The session has ended.");
    this.#enter("ended", null);
    this.#actions.push({ do: "end", reason });
  }

  /**
   * @param {Status} status
   * @param {number | null} until
   */
  #enter(status, until) {
    this.#until = until;
    if (status === this.status) return;
    this.status = status;
    this.#actions.push({ do: "status", status });
  }
}

/**
 * @param {string} text
 * @returns {{ type?: unknown, id?: unknown, topic?: unknown } | null} null unless it is a JSON object
 */
function parse(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
