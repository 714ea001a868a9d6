/** How the server does, as signals: requests tell how they fared, and while it is away it is asked again. */

import { signal } from "../vendor/preact.js";
import { Driver } from "./driver.js";
import { OutageWatch } from "./outage.js";

/** What is away; null: nothing that we know of. */
export const away = signal(/** @type {import("./outage.js").Outage | null} */ (null));
/** How many times it has come back: whoever has something that failed then tries again. */
export const returns = signal(0);
/** Whether this machine has a network at all, as the browser sees it. */
export const online = signal(globalThis.navigator?.onLine ?? true);

const watch = new OutageWatch();
/** @type {(path: string) => Promise<unknown>} */
let ask = () => Promise.resolve();
const driver = new Driver(watch, (action) => {
  if (action.do === "back") returns.value += 1;
  else void ask(action.path).catch(() => {});
});

/** Follows the network; `probe` reads a path and tells how that went. Called once. @param {(path: string) => Promise<unknown>} probe */
export function watchServer(probe) {
  ask = probe;
  addEventListener("online", () => {
    online.value = true;
    hurry();
  });
  addEventListener("offline", () => (online.value = false));
  document.addEventListener("visibilitychange", () => document.hidden || hurry());
}

/**
 * @param {string} method
 * @param {string} path
 * @param {string} code of the RequestError
 * @param {Response} [response] if there was one
 */
export function tellFailed(method, path, code, response) {
  const seconds = Number(response?.headers.get("retry-after"));
  const waitMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
  driver.step((now) => watch.failed(code, method === "GET" ? path : null, waitMs, now));
  away.value = watch.away;
}

/** @param {string} method @param {string} path */
export function tellAnswered(method, path) {
  if (watch.away === null) return;
  driver.step(() => watch.answered(method === "GET" ? path : null));
  away.value = watch.away;
}

/** Asks at once. */
export function hurry() {
  driver.step((now) => watch.hurry(now));
}
