/** Events by fetch with the face of a WebSocket: a stream of server-sent events, or long polls; what is sent goes by POST. */

import { Positions } from "./positions.js";
import { problemCode } from "./problem.js";
import { EventLines } from "./eventlines.js";

const WAIT_S = 25;
/** An answer to a poll that is longer away than this is lost. */
const POLL_MS = 40_000;
/** What HTTP answers in place of a welcome, as close codes (docs/notifications.md). @type {Readonly<Record<number, number>>} */
const CODES = Object.freeze({ 400: 4400, 401: 4401, 403: 4403, 404: 4403, 422: 4400, 429: 4429, 503: 4503 });

export class FetchSocket {
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {((event: { data: string }) => void) | null} */
  onmessage = null;
  /** @type {((event: { code: number, reason: string }) => void) | null} */
  onclose = null;
  #base;
  #polls;
  #token = "";
  #session = "";
  #positions = new Positions();
  #stop = new AbortController();
  #over = false;

  /**
   * @param {string} base `https://host/events`
   * @param {boolean} polls long polls in place of a stream
   */
  constructor(base, polls) {
    this.#base = base;
    this.#polls = polls;
    queueMicrotask(() => this.onopen?.());
  }

  /** @param {string} text a message as over a WebSocket; the first one is `hello` */
  send(text) {
    const message = JSON.parse(text);
    if (message.type === "hello") void this.#run(message);
    else void this.#ask(message.id, text);
  }

  /** @param {number} [_code] is told to nobody: the session waits, as when a connection breaks */
  close(_code) {
    this.#over = true;
    this.#stop.abort();
  }

  /** @param {{ token: string, resume?: string, seen?: import("./wire.js").Position[] }} hello */
  async #run({ token, resume, seen }) {
    this.#token = token;
    this.#session = resume ?? "";
    this.#positions.reset(seen ?? []);
    try {
      if (this.#polls) await this.#poll();
      else await this.#stream();
      this.#end(1006, "");
    } catch {
      this.#end(1006, "");
    }
  }

  /** @param {Record<string, unknown>} more */
  #opening(more) {
    return JSON.stringify(this.#session ? { resume: this.#session, seen: this.#positions.list(), ...more } : more);
  }

  async #stream() {
    const response = await this.#post("stream", this.#opening({}));
    if (!response) return;
    const lines = new EventLines((text) => this.#take(text));
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    const decoder = new TextDecoder();
    while (!this.#over) {
      const { done, value } = await reader.read();
      if (done) return;
      lines.push(decoder.decode(value, { stream: true }));
    }
  }

  async #poll() {
    for (let first = true; !this.#over; first = false) {
      const late = setTimeout(() => this.#stop.abort(), POLL_MS);
      const response = await this.#post("poll", this.#opening({ wait_s: WAIT_S, greet: first })).finally(() => clearTimeout(late));
      if (!response) return;
      for (const message of (await response.json()).messages) this.#take(JSON.stringify(message));
    }
  }

  /**
   * @param {string} path
   * @param {string} body
   * @returns {Promise<Response | null>} null: refused, and closed accordingly
   */
  async #post(path, body) {
    const headers = { Authorization: `Bearer ${this.#token}`, "Content-Type": "application/json" };
    const response = await fetch(`${this.#base}/${path}`, { method: "POST", headers, body, signal: this.#stop.signal, cache: "no-store" });
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    const code = problem.type ? problemCode(problem.type) : "";
    // Without a code of ours somebody in between has answered: it is no server that was reached.
    this.#end(code ? (CODES[response.status] ?? 1006) : 1006, code);
    return null;
  }

  /** @param {string} text of one message */
  #take(text) {
    if (this.#over) return;
    const message = JSON.parse(text);
    if (message.type === "close" && !message.topic) return this.#end(message.code, message.reason);
    if (message.type === "welcome") {
      this.#session = message.session;
      this.#positions.reset(message.topics);
    } else if (message.topic) {
      this.#positions.take(message.topic, message.seq);
    }
    this.onmessage?.({ data: text });
  }

  /**
   * @param {number} id
   * @param {string} text
   */
  async #ask(id, text) {
    try {
      const headers = { Authorization: `Bearer ${this.#token}`, "Content-Type": "application/json" };
      const options = { method: "POST", headers, body: text, signal: this.#stop.signal };
      const response = await fetch(`${this.#base}/sessions/${encodeURIComponent(this.#session)}`, options);
      const reply = await response.json();
      if (response.status === 404) return this.#end(1006, "");
      const message = response.ok ? reply : { type: "error", id, problem: reply };
      if (!this.#over) this.onmessage?.({ data: JSON.stringify(message) });
    } catch {
      // Not answered: whoever asked gives up in time.
    }
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #end(code, reason) {
    if (this.#over) return;
    this.close();
    this.onclose?.({ code, reason });
  }
}
