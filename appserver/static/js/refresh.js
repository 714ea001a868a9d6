/** Keeps what is shown fresh while somebody looks at it. */

import { useEffect, useRef } from "../vendor/preact.js";
import { away } from "./health.js";

/** Between two looks, ms: what goes on now changes fast, lists do not. */
export const LIVE_MS = 5000;
export const LIST_MS = 15_000;

/**
 * Also when the page comes to the front again; not while nobody sees it, nor while the server is away.
 * @param {() => void} reload
 * @param {number} everyMs
 */
export function useRefresh(reload, everyMs) {
  const latest = useRef(reload);
  latest.current = reload;
  useEffect(() => {
    const look = () => {
      if (!document.hidden && !away.peek()) latest.current();
    };
    const timer = setInterval(look, everyMs);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [everyMs]);
}
