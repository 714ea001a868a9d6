/** The icons: 24 x 24, drawn with the text colour, hidden from assistive technology because text stands beside them. */

import { html } from "../../vendor/preact.js";

/** @type {Readonly<Record<string, string>>} name -> path data, stroked */
const PATHS = Object.freeze({
  mic: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21M9 21h6",
  "mic-off": "M9 9.2V11a3 3 0 0 0 4.8 2.4M15 10.6V6a3 3 0 0 0-5.8-1.1M5.5 11a6.5 6.5 0 0 0 10.4 5.2M18.2 12.9a6.4 6.4 0 0 0 .3-1.9M12 17.5V21M9 21h6M4 3l16 18",
  people: "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.4-3.4 3.1-5.5 6.5-5.5s6.1 2.1 6.5 5.5M16 4.9a3.5 3.5 0 0 1 0 6.2M18 14.9c2 .8 3.2 2.6 3.5 5.1",
  link: "M10 14a4.2 4.2 0 0 0 6 .3l3.2-3.200a4.2 4.2 0 0 0-6-6l-1.2 1.200M14 10a4.2 4.2 0 0 0-6-.3l-3.2 3.200a4.2 4.2 0 0 0 6 6l1.2-1.2",
  settings: "M4 7h9M19 7h1M4 17h1M11 17h9M16 9.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM8 19.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  leave: "M3.2 13.600c5.2-4.8 12.4-4.8 17.6 0 .6.6.6 1.5.1 2.100l-1.2 1.400c-.5.6-1.4.700-2 .3l-2.3-1.500c-.5-.3-.700-.8-.700-1.400v-1.300a10 10 0 0 0-5.4 0v1.300c0 .6-.2 1.1-.700 1.400l-2.3 1.500c-.6.4-1.5.3-2-.3l-1.2-1.400c-.5-.6-.500-1.5.1-2.100Z",
  phone: "M6.5 3.500h2.300l1.5 4-2 1.500a11 11 0 0 0 5.2 5.200l1.5-2 4 1.500v2.300a2.5 2.5 0 0 1-2.7 2.500A15.5 15.5 0 0 1 4 6.200a2.5 2.5 0 0 1 2.5-2.700Z",
  keys: "M5 4a1 1 0 1 0 0 2 1 1 0 0 0 0-2ZM12 4a1 1 0 1 0 0 2 1 1 0 0 0 0-2ZM19 4a1 1 0 1 0 0 2 1 1 0 0 0 0-2ZM5 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2ZM12 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2ZM19 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2ZM5 18a1 1 0 1 0 0 2 1 1 0 0 0 0-2ZM12 18a1 1 0 1 0 0 2 1 1 0 0 0 0-2ZM19 18a1 1 0 1 0 0 2 1 1 0 0 0 0-2Z",
  speaker: "M4 9.500v5h3.500l4.5 4v-13l-4.5 4ZM15.5 9a4.2 4.2 0 0 1 0 6M18 6.500a7.8 7.8 0 0 1 0 11",
  arrow: "M5 12h14M13 6l6 6-6 6",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  warning: "M12 4 2.8 19.500h18.400ZM12 10v4.500M12 17v.1",
  down: "M7 10l5 5 5-5",
  check: "M5 12.500l4.5 4.500L19 7.5",
  copy: "M9 9h10v11H9ZM15 9V4H5v11h4",
  key: "M8 15.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM11.500 12H21v3M17 12v2.500",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM16.200 16.200 20.500 20.500",
  door: "M6 20.500V4.500l9-1.500v19ZM15 6h3.500v14.500M3.500 20.500h17M11.800 12v.1",
  clock: "M12 20.500a8.500 8.500 0 1 0 0-17 8.500 8.500 0 0 0 0 17ZM12 7.500V12l3 2",
  download: "M12 4v11M7.500 11l4.500 4.500 4.500-4.500M5 20h14",
  server: "M4.500 4.500h15v6h-15ZM4.500 13.500h15v6h-15ZM8 7.500h.1M8 16.500h.1",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.500 20.500c.5-3.800 3.500-6 7.500-6s7 2.200 7.500 6",
  star: "M12 4.500l2.3 4.7 5.2.8-3.7 3.6.9 5.2-4.7-2.5-4.7 2.5.9-5.200L4.5 10l5.2-.8Z",
});

/** @param {{ name: string, size?: number }} props */
export function Icon({ name, size = 20 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d=${PATHS[name]} />
  </svg>`;
}

/** The mark: voices around a table, one of them talking. @param {{ size?: number }} props */
export function Mark({ size = 28 }) {
  return html`<svg class="mark" width=${size} height=${size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect class="mark-ground" width="32" height="32" rx="9" />
    <path class="mark-line" d="M21.6 10.400a8 8 0 1 0 0 11.2" />
    <circle class="mark-voice" cx="22.5" cy="16" r="2.6" />
  </svg>`;
}
