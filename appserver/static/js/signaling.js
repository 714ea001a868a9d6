/** Gives the session machine a WebSocket, or what stands in for one; requests become promises. */

import { Driver } from "./driver.js";
import { FetchSocket } from "./fetchsocket.js";
import { RequestError } from "./problem.js";
import { Session } from "./session.js";
import { Ways } from "./ways.js";

/** @typedef {import("./session.js").SessionAction} SessionAction */
/** @typedef {import("./session.js").ReplyMessage} ReplyMessage */

/**
 * @typedef {object} SignalingHandlers
 * @property {(status: import("./session.js").Status) => void} status
 * @property {(welcome: import("./wire.js").Welcome) => void} welcome
 * @property {(event: import("./wire.js").RoomEvent) => void} event
 * @property {(reason: import("./text.js").EndReason) => void} end
 * @property {(token: string) => Promise<string>} refresh
 *   gets a new token; a RequestError whose code `finalRefusal` knows ends the session, any other one is tried again
 * @property {(code: string) => import("./text.js").EndReason | null} finalRefusal
 */

export class Signaling {
  #url;
  #session;
  #handlers;
  /** @type {WebSocket | FetchSocket | null} */
  #socket = null;
  #ways = new Ways();
  /** @type {Driver<SessionAction>} */
  #driver;
  /** @type {Map<number, { resolve: (message: ReplyMessage) => void, reject: (error: RequestError) => void }>} */
  #waiting = new Map();

  /**
   * @param {string} url of the events WebSocket
   * @param {string} token of the join
   * @param {SignalingHandlers} handlers
   * @param {boolean} inRoom else it is for an account
   */
  constructor(url, token, handlers, inRoom = true) {
    this.#url = url;
    this.#session = new Session(token, Math.random, inRoom);
    this.#handlers = handlers;
    this.#driver = new Driver(this.#session, (action) => this.#perform(action));
  }

  /** @returns {import("./session.js").Status} */
  get status() {
    return this.#session.status;
  }

  /** @returns {string | null} the session's id */
  get id() {
    return this.#session.id;
  }

  start() {
    this.#driver.step((now) => this.#session.start(now));
  }

  /**
   * @param {{ type: string, [field: string]: unknown }} message without id
   * @param {number} timeout ms
   * @returns {Promise<ReplyMessage>} the answer; rejected with RequestError
   */
  request(message, timeout) {
    return new Promise((resolve, reject) => {
      this.#driver.step((now) => {
        const id = this.#session.request(message, now, timeout);
        this.#waiting.set(id, { resolve, reject });
      });
    });
  }

  /** New token, new connection. */
  renew() {
    this.#driver.step(() => this.#session.renew());
  }

  /** Tries at once if it was waiting. */
  wake() {
    this.#ways.again();
    this.#driver.step((now) => this.#session.wake(now));
  }

  leave() {
    this.#driver.step((now) => this.#session.leave(now));
  }

  /** @param {SessionAction} action */
  #perform(action) {
    switch (action.do) {
      case "connect": return this.#connect();
      case "send": return this.#socket?.send(action.text);
      case "close": return this.#close(action.code);
      case "refresh": return void this.#refresh(action.token);
      case "status": return this.#handlers.status(action.status);
      case "welcome": return this.#welcomed(action.welcome);
      case "event": return this.#handlers.event(action.event);
      case "reply": return this.#take(action.id)?.resolve(action.message);
      case "fail": return this.#take(action.id)?.reject(new RequestError(action.code, action.detail));
      case "end": return this.#handlers.end(action.reason);
    }
  }

  /** @param {import("./wire.js").Welcome} welcome */
  #welcomed(welcome) {
    this.#ways.welcomed();
    this.#handlers.welcome(welcome);
  }

  #connect() {
    const socket = this.#made();
    this.#socket = socket;
    const current = (/** @type {(now: number) => void} */ change) => {
      if (this.#socket === socket) this.#driver.step(change);
    };
    socket.onopen = () => current((now) => this.#session.opened(now));
    socket.onmessage = (/** @type {{ data: unknown }} */ message) => current((now) => this.#session.received(String(message.data), now));
    socket.onclose = (/** @type {{ code: number, reason: string }} */ event) => {
      if (this.#socket === socket) this.#ways.ended(event.code);
      current((now) => this.#session.closed(event.code, event.reason, now));
    };
  }

  /** By the way that is to be taken now. */
  #made() {
    if (this.#ways.way === "socket") return new WebSocket(this.#url);
    return new FetchSocket(this.#url.replace(/^ws/, "http"), this.#ways.way === "poll");
  }

  /** @param {number} code */
  #close(code) {
    const socket = this.#socket;
    this.#socket = null;
    if (socket) this.#ways.ended(code);
    socket?.close(code);
  }

  /** @param {string} token */
  async #refresh(token) {
    try {
      const fresh = await this.#handlers.refresh(token);
      this.#driver.step((now) => this.#session.refreshed(fresh, now));
    } catch (error) {
      const reason = error instanceof RequestError ? this.#handlers.finalRefusal(error.code) : null;
      this.#driver.step((now) => this.#session.refreshFailed(reason, now));
    }
  }

  /** @param {number} id */
  #take(id) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}
