/** Tells when the computer has slept: a clock that should tick every two seconds has not for long. */

const EVERY_MS = 2000;
/** A gap that a busy page may have. */
const BUSY_MS = 10_000;
/** Clocks of hidden pages tick once in a minute. */
const HIDDEN_MS = 90_000;

/**
 * @param {number} gap ms between two ticks
 * @param {boolean} hidden
 * @returns {boolean}
 */
export function hasSlept(gap, hidden) {
  return gap - EVERY_MS > (hidden ? HIDDEN_MS : BUSY_MS);
}

/** @param {() => void} tell @returns {() => void} ends it */
export function onWakeUp(tell) {
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    const slept = hasSlept(now - last, document.hidden);
    last = now;
    if (slept) tell();
  }, EVERY_MS);
  return () => clearInterval(timer);
}
