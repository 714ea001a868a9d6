/** Keeps the person's wish, the microphone and the server's record of "muted" together: a machine without I/O. */

/** The server's record may lag behind the last request or the last change by this much. */
export const SETTLE_MS = 1500;

/**
 * The server may mute us (a moderator did), but never unmute us.
 * @param {boolean} wanted the person's wish
 * @param {boolean | null} recorded what the roster says of us; null: nothing
 * @returns {"agree" | "obey" | "repeat"} obey: mute the microphone too; repeat: tell the server again that we are muted
 */
export function compareMute(wanted, recorded) {
  if (recorded === null || recorded === wanted) return "agree";
  return recorded ? "obey" : "repeat";
}

/** @typedef {{ do: "send", muted: boolean } | { do: "obey" }} MuteAction */

export class MuteKeeper {
  #recorded;
  #wanted = false;
  /** @type {number | null} */
  #compareAt = null;
  /** @type {MuteAction[]} */
  #actions = [];

  /** @param {() => boolean | null} recorded what the roster says of us now; null: nothing */
  constructor(recorded) {
    this.#recorded = recorded;
  }

  /** @returns {MuteAction[]} what to do now, in order; each is given once */
  actions() {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  /** @returns {number | null} when `timer` wants to be called */
  deadline() {
    return this.#compareAt;
  }

  /**
   * @param {boolean} muted the person's wish
   * @param {number} now
   */
  want(muted, now) {
    this.#wanted = muted;
    this.#tell(now);
  }

  /** A leg begins unmuted, whatever the last one was. @param {number} now */
  legIsNew(now) {
    if (this.#wanted) this.#tell(now);
  }

  /** Something changed: compares once it has settled. @param {number} now */
  check(now) {
    this.#compareAt = now + SETTLE_MS;
  }

  /** @param {number} now */
  timer(now) {
    if (this.#compareAt === null || now < this.#compareAt) return;
    this.#compareAt = null;
    const verdict = compareMute(this.#wanted, this.#recorded());
    if (verdict === "obey") this.#actions.push({ do: "obey" });
    else if (verdict === "repeat") this.#tell(now);
  }

  /** What can't be told now is found by the comparison. @param {number} now */
  #tell(now) {
    this.#actions.push({ do: "send", muted: this.#wanted });
    this.check(now);
  }
}
