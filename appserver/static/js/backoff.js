/** How long to wait before the next try: doubling from 0.25 s to 2 s, with jitter so that a crowd does not return as one. */

const FIRST_MS = 250;
const LAST_MS = 2000;

/**
 * @param {number} failures tries that have failed so far, from 0
 * @param {() => number} random uniform in [0, 1)
 * @returns {number} milliseconds: between half of the step and the whole of it
 */
export function backoff(failures, random = Math.random) {
  const step = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(failures, 16));
  return step * (0.5 + 0.5 * random());
}
