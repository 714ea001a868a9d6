/** Gathers comings, goings and raised hands into few, quiet announcements: a machine without I/O. */

import { leaving } from "./text.js";

/** @typedef {import("./roster.js").Notice} Notice */

/** Several in this time become one announcement. */
export const GATHER_MS = 600;
/** Who vanished without a word has this long to come back before it is told. */
export const DOUBT_MS = 5000;
/** More names than this become a number. */
const MAX_NAMES = 2;
/** Notices that wait; beyond that the oldest are dropped, because nobody could read them. */
export const MAX_WAITING = 200;

export class Notices {
  /** @type {Map<string, Notice & { at: number }>} by participant (and for hands by "hand" and participant); `at`: when it may be told */
  #waiting = new Map();
  /** @type {string[]} */
  #sentences = [];

  /**
   * @param {readonly Notice[]} notices
   * @param {number} now ms
   */
  add(notices, now) {
    for (const notice of notices) {
      const key = notice.kind === "raised" ? `hand ${notice.id}` : notice.id;
      const before = this.#waiting.get(key);
      if (before && before.kind !== notice.kind) this.#waiting.delete(key);
      else this.#waiting.set(key, { ...notice, at: now + (notice.certain ? GATHER_MS : DOUBT_MS) });
    }
    for (const id of this.#waiting.keys()) {
      if (this.#waiting.size <= MAX_WAITING) break;
      this.#waiting.delete(id);
    }
  }

  /** @returns {number | null} when `timer` wants to be called */
  deadline() {
    const earliest = Math.min(...[...this.#waiting.values()].map((notice) => notice.at));
    return Number.isFinite(earliest) ? earliest : null;
  }

  /** @param {number} now */
  timer(now) {
    const ready = [...this.#waiting.values()].filter((notice) => now >= notice.at);
    for (const [key, notice] of this.#waiting) if (ready.includes(notice)) this.#waiting.delete(key);
    /** @type {Map<string, string[]>} what they did -> names */
    const groups = new Map();
    for (const notice of ready) {
      const did = deed(notice);
      groups.set(did, [...(groups.get(did) ?? []), notice.name]);
    }
    this.#sentences.push(...[...groups].map(([did, names]) => sentence(names, did)));
  }

  /** @returns {string[]} sentences to show: at most one for comings and one for each way of going */
  actions() {
    const sentences = this.#sentences;
    this.#sentences = [];
    return sentences;
  }
}

/** @param {Notice} notice */
function deed({ kind, certain, reason }) {
  if (kind === "raised") return "raised a hand";
  return kind === "joined" ? "joined" : certain ? leaving(reason) : "lost the connection";
}

/**
 * @param {string[]} names
 * @param {string} did "joined", "left", "was removed"
 */
function sentence(names, did) {
  const done = names.length > 1 ? did.replace(/^was /u, "were ") : did;
  return names.length > MAX_NAMES ? `${names.length} people ${done}` : `${names.join(" and ")} ${done}`;
}
