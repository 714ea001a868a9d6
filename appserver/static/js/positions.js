/** How far each topic's events have come: what is new, what is a repetition, what was missed. Pure. */

/** @typedef {import("./wire.js").Position} Position */

export class Positions {
  /** @type {Map<string, { epoch: string, seq: number }>} */
  #places = new Map();

  /** @param {readonly Position[]} places as a welcome names them */
  reset(places) {
    this.#places = new Map(places.map(({ topic, epoch, seq }) => [topic, { epoch, seq }]));
  }

  /** @returns {Position[]} what to come back with */
  list() {
    return [...this.#places].map(([topic, { epoch, seq }]) => ({ topic, epoch, seq }));
  }

  /**
   * @param {string} topic of an event
   * @param {number} seq its number
   * @returns {"new" | "known" | "gap"} counted if it is new; a topic that was not named is a gap
   */
  take(topic, seq) {
    const place = this.#places.get(topic);
    if (!place || seq > place.seq + 1) return "gap";
    if (seq <= place.seq) return "known";
    place.seq = seq;
    return "new";
  }
}
