/**
 * Which way events come: WebSocket first, a stream by fetch where that does not get through, long polls where nothing flows. Pure.
 *
 * A WebSocket is tried twice before anything else, and again at each new break, because it is the best of them.
 */

/** @typedef {"socket" | "stream" | "poll"} Way */

/** @type {readonly Way[]} */
const ORDER = ["socket", "socket", "stream", "poll"];
/** Codes of connections that broke before a welcome, or were given up on: all others come from a server that was reached. */
const NOT_THROUGH = new Set([1006, 4000]);

export class Ways {
  #at = 0;
  #welcomed = false;

  /** @returns {Way} the one to take now */
  get way() {
    return ORDER[this.#at] ?? "socket";
  }

  /** The server has said welcome. */
  welcomed() {
    this.#welcomed = true;
  }

  /** The network is back, or the person asked: the best way first. */
  again() {
    this.#at = 0;
  }

  /** @param {number} code with which the connection ended */
  ended(code) {
    const next = this.#welcomed || !NOT_THROUGH.has(code) ? 0 : (this.#at + 1) % ORDER.length;
    // Where a WebSocket did not get through just now, one try is enough to see whether it does again.
    this.#at = this.#welcomed && this.#at > 1 ? 1 : next;
    this.#welcomed = false;
  }
}
