/** The picture of the front page: people around a table, one talking, their mix in the middle. Decoration only. */

import { html } from "../../vendor/preact.js";

const SEATS = [
  { letters: "AL", hue: 0 },
  { letters: "GH", hue: 5 },
  { letters: "KJ", hue: 2 },
  { letters: "MV", hue: 6 },
  { letters: "RT", hue: 3 },
  { letters: "SO", hue: 7 },
];
const CENTRE = 200;
const RADIUS = 136;
/** The bars of the mix in the middle: heights. */
const MIX = [18, 38, 58, 44, 26, 12];

export function Table() {
  return html`<svg class="table" viewBox="0 0 400 400" aria-hidden="true" focusable="false">
    <circle class="table-ring" cx=${CENTRE} cy=${CENTRE} r=${RADIUS} />
    <circle class="table-top" cx=${CENTRE} cy=${CENTRE} r="66" />
    ${MIX.map((height, index) => html`<rect class="table-bar table-bar-${index % 3}" x=${CENTRE - 33 + index * 13 - 3.5} y=${CENTRE - height / 2} width="7" height=${height} rx="3.5" />`)}
    <circle class="table-wave table-wave-1" cx=${CENTRE} cy=${CENTRE - RADIUS} r="43" />
    <circle class="table-wave table-wave-2" cx=${CENTRE} cy=${CENTRE - RADIUS} r="53" />
    ${SEATS.map(({ letters, hue }, index) => seat(letters, hue, index))}
  </svg>`;
}

/**
 * @param {string} letters
 * @param {number} hue
 * @param {number} index of the seat, clockwise from the top
 */
function seat(letters, hue, index) {
  const angle = (index / SEATS.length) * 2 * Math.PI - Math.PI / 2;
  const x = Math.round(CENTRE + RADIUS * Math.cos(angle));
  const y = Math.round(CENTRE + RADIUS * Math.sin(angle));
  return html`<g class="seat hue-${hue}">
    <circle cx=${x} cy=${y} r="34" />
    <text x=${x} y=${y} dy="0.36em" text-anchor="middle">${letters}</text>
  </g>`;
}
