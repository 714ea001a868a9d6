/** What somebody wishes to have made is made once, also when the answer was lost and they ask again (docs/api.md, idempotency keys). */

import { codeOf } from "./problem.js";

/** After these nobody knows whether it was made. */
const UNSURE = new Set(["timeout", "unreachable", "request-in-progress"]);
/** Asking again within this is the same wish, later a new one. */
export const SAME_MS = 10 * 60_000;
/** Wishes without an answer that are remembered. */
const MOST = 20;
/** The first request may still be worked on when the second one comes: so long, and so often, its end is waited for. */
const BUSY_MS = 1000;
const BUSY_TRIES = 5;

/** @typedef {{ body: Record<string, unknown>, key: string, since: number }} Wish */

/** Without `crypto.randomUUID`, which pages without HTTPS do not have. */
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {number} ms @returns {Promise<void>} */
const sleep = (ms) => new Promise((resolve) => void setTimeout(resolve, ms));

export class Once {
  /** By what is asked for. @type {Map<string, Wish>} */
  #open = new Map();
  #now;
  #wait;

  /** @param {() => number} now ms @param {(ms: number) => Promise<void>} wait */
  constructor(now = () => performance.now(), wait = sleep) {
    this.#now = now;
    this.#wait = wait;
  }

  /**
   * @template Result
   * @param {string} path
   * @param {Record<string, unknown>} body of the first try; a further one sends it again as it was, with the times in it
   * @param {(body: Record<string, unknown>, key: string) => Promise<Result>} send
   * @param {unknown} [chosen] what makes two wishes the same, where the body has times that pass
   * @returns {Promise<Result>}
   */
  async make(path, body, send, chosen = body) {
    const name = `${path} ${JSON.stringify(chosen)}`;
    const wish = this.#wish(name, body);
    try {
      const made = await this.#patiently(() => send(wish.body, wish.key));
      this.#open.delete(name);
      return made;
    } catch (error) {
      if (!UNSURE.has(codeOf(error))) this.#open.delete(name);
      throw error;
    }
  }

  /** @param {string} name @param {Record<string, unknown>} body @returns {Wish} */
  #wish(name, body) {
    const now = this.#now();
    for (const [other, { since }] of this.#open) if (now - since > SAME_MS || this.#open.size > MOST) this.#open.delete(other);
    const wish = this.#open.get(name) ?? { body, key: newKey(), since: now };
    this.#open.set(name, wish);
    return wish;
  }

  /** @template Result @param {() => Promise<Result>} send @returns {Promise<Result>} */
  async #patiently(send) {
    for (let left = BUSY_TRIES; ; left -= 1) {
      try {
        return await send();
      } catch (error) {
        if (codeOf(error) !== "request-in-progress" || left === 0) throw error;
        await this.#wait(BUSY_MS);
      }
    }
  }
}

/** Of this page. */
export const once = new Once();
