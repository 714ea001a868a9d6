/** The quality of speech as a mark: the figure, and in words what it means. */

import { html } from "../../../vendor/preact.js";
import { MOS } from "../../texts/records.js";

/** @param {{ mos: number | null | undefined }} props */
export function Quality({ mos }) {
  if (mos === null || mos === undefined) return html`<span class="none">–</span>`;
  const [, tone, words] = MOS.find(([least]) => mos >= least) ?? [0, "poor", ""];
  return html`<span class=${`tag tag-${tone}`}>${mos.toFixed(1)} ${words}</span>`;
}
