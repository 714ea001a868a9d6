/** Keeps the person's wish, the microphone and the server's record of "muted" together. */

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

/**
 * @typedef {object} MuteHandlers
 * @property {(muted: boolean) => Promise<void>} send tells the server
 * @property {() => boolean | null} recorded
 * @property {() => void} obey
 */

export class MuteKeeper {
  #handlers;
  #wanted = false;
  #stopped = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {MuteHandlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** @param {boolean} muted the person's wish */
  want(muted) {
    this.#wanted = muted;
    void this.#tell();
  }

  /** A leg begins unmuted, whatever the last one was. */
  legIsNew() {
    if (this.#wanted) void this.#tell();
  }

  /** Something changed: compares once it has settled. */
  check() {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => this.#compare(), SETTLE_MS);
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** What can't be told now is found by the next comparison. */
  async #tell() {
    await this.#handlers.send(this.#wanted).catch(() => {});
    this.check();
  }

  #compare() {
    const verdict = compareMute(this.#wanted, this.#handlers.recorded());
    if (verdict === "obey") this.#handlers.obey();
    else if (verdict === "repeat") void this.#tell();
  }
}
