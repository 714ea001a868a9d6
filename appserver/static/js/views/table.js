/** The picture of the front page: people around a table, one talking. Decoration only. */

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
const RADIUS = 132;

export function Table() {
  return html`<svg class="table" viewBox="0 0 400 400" aria-hidden="true" focusable="false">
    <circle class="table-top" cx=${CENTRE} cy=${CENTRE} r="86" />
    <circle class="table-wave table-wave-1" cx=${CENTRE} cy=${CENTRE - RADIUS} r="44" />
    <circle class="table-wave table-wave-2" cx=${CENTRE} cy=${CENTRE - RADIUS} r="56" />
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
