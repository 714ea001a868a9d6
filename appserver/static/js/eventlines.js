/** Reads a stream of server-sent events (HTML, section 9.2.6) as far as ours goes: `data` in one line each, and comments. Pure. */

/** Characters of an event; what is longer is none of ours. */
const MOST = 4 << 20;

export class EventLines {
  #told;
  #rest = "";

  /** @param {(data: string) => void} told of each event */
  constructor(told) {
    this.#told = told;
  }

  /** @param {string} text the next piece, cut anywhere; throws RangeError for an event beyond all bounds */
  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > MOST) throw new RangeError("an event without end");
    for (const line of lines) if (line.startsWith("data: ")) this.#told(line.slice(6));
  }
}
