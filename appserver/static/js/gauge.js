/** How good a call's connection is, measured every two seconds while there is one: for the mark, the panel and its plots. */

import { quality, snapshot } from "./quality.js";
import { point, tally, withPoint } from "./statistics.js";
import * as store from "./store.js";

const EVERY_MS = 2000;

export class Gauge {
  #stats;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  /** @type {import("./quality.js").Snapshot | null} */
  #before = null;
  /** @type {import("./statistics.js").Tally | null} */
  #counted = null;

  /** @param {() => ReturnType<import("./media.js").Media["stats"]>} stats of the connection that stands */
  constructor(stats) {
    this.#stats = stats;
  }

  start() {
    this.#timer = setInterval(() => void this.#measure(), EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }

  /** Another connection counts from the beginning. */
  forget() {
    this.#before = this.#counted = store.quality.value = null;
  }

  async #measure() {
    if (store.phase.value !== "connected") return;
    const stats = await this.#stats();
    const now = snapshot(stats, performance.now());
    if (this.#before) store.quality.value = quality(this.#before, now);
    this.#before = now;
    const counted = tally(stats, now.at);
    if (this.#counted) store.measured.value = withPoint(store.measured.peek(), point(this.#counted, counted));
    store.way.value = counted.way;
    this.#counted = counted;
  }
}
