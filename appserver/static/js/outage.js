/** Whether the server answers, and its database with it: a machine without I/O. While it does not, it is asked again until it does. */

/** @typedef {"database-down" | "unreachable"} Outage */
/** @typedef {{ do: "probe", path: string } | { do: "back" }} OutageAction */

/** Asked where what failed was a change: that is not tried again by itself. */
const SESSION = "/api/v1/session";

/** Codes of requests -> what is away. Others are refusals of one wish, not the end of all. @type {Readonly<Record<string, Outage>>} */
const OUTAGES = Object.freeze({ "database-down": "database-down", "database-unsure": "database-down", unreachable: "unreachable", timeout: "unreachable" });

/** Between two questions, unless the server says how long to wait. */
const FIRST_MS = 2000;
/** No longer than this, so that nobody waits for a server that is back. */
export const LONGEST_MS = 20_000;
/** A question without an answer is another failure. */
const ANSWER_MS = 12_000;

export class OutageWatch {
  /** @type {Outage | null} what is away */
  away = null;
  /** @type {number | null} */
  #deadline = null;
  #tries = 0;
  #path = SESSION;
  /** @type {OutageAction[]} */
  #actions = [];

  /**
   * A request has failed.
   * @param {string} code
   * @param {string | null} path of what was read; null: it was a change
   * @param {number} waitMs what the server asks for (Retry-After); 0: nothing
   * @param {number} now ms
   */
  failed(code, path, waitMs, now) {
    const away = OUTAGES[code];
    if (!away) return;
    const step = Math.min(LONGEST_MS, waitMs || FIRST_MS * 2 ** Math.min(this.#tries, 4));
    if (this.away === null) this.#path = path ?? SESSION;
    this.away = away;
    this.#deadline = now + step;
  }

  /**
   * A request was answered, if only by a refusal. While the database is away that says something only where it is needed for.
   * @param {string | null} path of what was read; null: it was a change
   */
  answered(path) {
    if (this.away === null || (this.away === "database-down" && path !== null && path !== this.#path)) return;
    this.away = null;
    this.#deadline = null;
    this.#tries = 0;
    this.#actions.push({ do: "back" });
  }

  /** Somebody does not want to wait. @param {number} now */
  hurry(now) {
    if (this.away !== null) this.#probe(now);
  }

  /** @returns {number | null} */
  deadline() {
    return this.#deadline;
  }

  /** @param {number} now */
  timer(now) {
    if (this.#deadline !== null && now >= this.#deadline) this.#probe(now);
  }

  /** @returns {OutageAction[]} */
  actions() {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  /** @param {number} now */
  #probe(now) {
    this.#tries += 1;
    this.#deadline = now + ANSWER_MS;
    this.#actions.push({ do: "probe", path: this.#path });
  }
}
