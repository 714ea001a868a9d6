/** Keeps what is shown fresh while somebody looks at it. */

import { useEffect, useRef } from "../../../vendor/preact.js";

const EVERY_MS = 5000;

/** @param {() => void} reload */
export function useRefresh(reload) {
  const latest = useRef(reload);
  latest.current = reload;
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) latest.current();
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
}
