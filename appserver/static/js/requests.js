/** Requests under way by their id, each with its deadline; a bounded table without a clock. */

export class Requests {
  /** @type {Map<number, number>} id -> deadline, ms */
  #deadlines = new Map();
  #limit;

  /** @param {number} limit of requests under way at once */
  constructor(limit) {
    this.#limit = limit;
  }

  /** True if one more would be too many. */
  get full() {
    return this.#deadlines.size >= this.#limit;
  }

  /**
   * @param {number} id
   * @param {number} deadline
   */
  add(id, deadline) {
    this.#deadlines.set(id, deadline);
  }

  /**
   * @param {number} id
   * @returns {boolean} whether it was under way; it no longer is
   */
  settle(id) {
    return this.#deadlines.delete(id);
  }

  /**
   * @param {number} now
   * @returns {number[]} the ids whose time is up; they are no longer under way
   */
  expire(now) {
    const ids = [...this.#deadlines].filter(([, deadline]) => now >= deadline).map(([id]) => id);
    for (const id of ids) this.#deadlines.delete(id);
    return ids;
  }

  /** @returns {number[]} all ids; none is under way afterwards */
  drop() {
    const ids = [...this.#deadlines.keys()];
    this.#deadlines.clear();
    return ids;
  }

  /** @returns {number} the earliest deadline; Infinity if there is none */
  next() {
    return Math.min(Infinity, ...this.#deadlines.values());
  }
}
