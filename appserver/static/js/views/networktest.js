/** The test of the network: a button, and what came of it in sentences. */

import { html, useSignal } from "../../vendor/preact.js";
import { testNetwork } from "../networktest.js";
import { NO_TEST, networkWords } from "../texts/meeting.js";
import { Icon } from "./icons.js";

/** @param {{ ice: () => RTCConfiguration | Promise<RTCConfiguration> }} props `ice`: what a call here uses, or would use */
export function NetworkTest({ ice }) {
  const busy = useSignal(false);
  const found = useSignal(/** @type {import("../networktest.js").NetworkReport | null} */ (null));
  const failed = useSignal(false);
  const run = async () => {
    busy.value = true;
    failed.value = false;
    found.value = await Promise.resolve(ice()).then(testNetwork).catch(() => ((failed.value = true), null));
    busy.value = false;
  };
  return html`<section class="network" aria-label="Network test">
    <button type="button" class="button" disabled=${busy.value} onClick=${run}><${Icon} name="chart" size=${18} />${busy.value ? "Testing…" : "Test the network"}</button>
    <div role="status">
      ${failed.value && html`<p class="hint">${NO_TEST}</p>`}
      ${found.value && html`<ul>${networkWords(found.value).map(({ good, words }) => html`<li key=${words} class=${good ? "is-good" : "is-bad"}><${Icon} name=${good ? "check" : "warning"} size=${18} />${words}</li>`)}</ul>`}
    </div>
  </section>`;
}
