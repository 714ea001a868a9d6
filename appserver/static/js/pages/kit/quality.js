/** The quality of speech as a mark: the figure, and in words what it means. */

import { html } from "../../../vendor/preact.js";
import { MOS } from "../../texts/records.js";

/** @param {{ mos: number | null | undefined }} props */
export function Quality({ mos }) {
  if (mos === null || mos === undefined) return html`<span class="none">–</span>`;
  const [, tone, words] = soundsLike(mos);
  return html`<span class=${`tag tag-${tone}`}>${mos.toFixed(1)} ${words}</span>`;
}

/** By the figure that is shown: two that look the same are called the same. @param {number} mos */
export function soundsLike(mos) {
  return MOS.find(([least]) => Number(mos.toFixed(1)) >= least) ?? /** @type {const} */ ([0, "poor", ""]);
}
