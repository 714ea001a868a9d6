/** The connection over the last two minutes: plots, and the same in a table. */

import { html } from "../../vendor/preact.js";
import { line, summary } from "../statistics.js";
import { currentCall } from "../screens.js";
import { measured, way } from "../store.js";
import { Dialog } from "./dialog.js";
import { details } from "./linkmark.js";
import { NetworkTest } from "./networktest.js";

const WIDTH = 240;
const HEIGHT = 56;

/** @typedef {{ figure: import("../statistics.js").Figure, words: string, unit: string, top: number, digits: number }} Plot  `top`: at least this high */

/** @type {readonly Plot[]} */
const PLOTS = [
  { figure: "loss", words: "Packets lost", unit: "%", top: 5, digits: 1 },
  { figure: "jitter", words: "Jitter", unit: "ms", top: 50, digits: 0 },
  { figure: "delay", words: "Round trip", unit: "ms", top: 200, digits: 0 },
  { figure: "down", words: "Received", unit: "kbit/s", top: 64, digits: 0 },
  { figure: "up", words: "Sent", unit: "kbit/s", top: 64, digits: 0 },
];

/** @param {{ onClose: () => void }} props */
export function Statistics({ onClose }) {
  return html`<${Dialog} title="Connection" onClose=${onClose} wide=${true}>
    <dl class="figures"><div><dt>Now</dt><dd>${details()}</dd></div><div><dt>Sound goes</dt><dd>${way.value || "not yet"}</dd></div></dl>
    <div class="plots" aria-hidden="true">${PLOTS.map((plot) => html`<${Chart} key=${plot.figure} plot=${plot} />`)}</div>
    <${Figures} />
    <${NetworkTest} ice=${() => currentCall()?.ice ?? {}} />
  <//>`;
}

/** @param {{ plot: Plot }} props */
function Chart({ plot: { figure, words, unit, top, digits } }) {
  const points = measured.value;
  const found = summary(points, figure);
  const highest = Math.max(top, found?.worst ?? 0);
  const path = line(points, figure, WIDTH, HEIGHT, highest);
  return html`<figure class="plot">
    <figcaption><span>${words}</span><b>${found ? `${found.now.toFixed(digits)} ${unit}` : "–"}</b></figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" focusable="false">
      <path class="plot-ground" d="M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}" />
      ${path && html`<path class="plot-area" d="${path}V${HEIGHT}H${firstX(path)}Z" /><path class="plot-line" d=${path} />`}
    </svg>
    <p class="plot-scale"><span>2 min ago</span><span>up to ${highest.toFixed(0)} ${unit}</span><span>now</span></p>
  </figure>`;
}

/** @param {string} path @returns {string} where it begins */
function firstX(path) {
  return path.slice(1, path.indexOf(" "));
}

function Figures() {
  const points = measured.value;
  return html`<table class="statistics">
    <caption>Last two minutes</caption>
    <thead><tr><th scope="col">Figure</th><th scope="col">Now</th><th scope="col">Mean</th><th scope="col">Highest</th></tr></thead>
    <tbody>
      ${PLOTS.map(({ figure, words, unit, digits }) => {
        const found = summary(points, figure);
        const cell = (/** @type {"now" | "mean" | "worst"} */ which) => (found ? found[which].toFixed(digits) : "–");
        return html`<tr key=${figure}><th scope="row">${words}, ${unit}</th><td>${cell("now")}</td><td>${cell("mean")}</td><td>${cell("worst")}</td></tr>`;
      })}
    </tbody>
  </table>`;
}
