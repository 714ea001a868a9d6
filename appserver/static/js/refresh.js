/** Keeps what is shown fresh while somebody looks at it: as news come, and by looking again where none do. */

import { useEffect, useRef } from "../vendor/preact.js";
import { away } from "./health.js";
import { listening, news } from "./news.js";

/** Between two looks, ms: what goes on now changes fast, lists do not. */
export const LIVE_MS = 5000;
export const LIST_MS = 15_000;
/** Where news are heard: they tell of one's own rooms, not of everything. */
const HEARD_MS = 60_000;

/**
 * Also when the page comes to the front again; not while nobody sees it, nor while the server is away.
 * @param {() => void} reload
 * @param {number} everyMs  between two looks where no news are heard
 * @param {readonly import("./news.js").Kind[]} kinds of news that concern it
 * @param {boolean} own whether it shows nothing but what news tell of
 */
export function useRefresh(reload, everyMs, kinds, own = true) {
  const latest = useRef(reload);
  latest.current = reload;
  const looked = useRef(performance.now());
  const look = () => {
    if (document.hidden || away.peek()) return;
    looked.current = performance.now();
    latest.current();
  };
  const heard = kinds.map((kind) => news.value[kind] ?? 0).join(" ");
  const before = useRef(heard);
  useEffect(() => {
    if (heard !== before.current) look();
    before.current = heard;
  }, [heard]);
  useEffect(() => {
    const again = () => {
      const wait = own && listening.peek() ? HEARD_MS : everyMs;
      // Timers are not exact: one that is a little early counts.
      if (performance.now() - looked.current > wait - everyMs / 2) look();
    };
    const timer = setInterval(again, everyMs);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [everyMs, own]);
}
