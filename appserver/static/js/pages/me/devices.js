/** The browsers that are signed in to the own account. */

import { html } from "../../../vendor/preact.js";
import { codeOf } from "../../problem.js";
import { toast } from "../../store.js";
import { ME } from "../../texts/account.js";
import { sentence } from "../../texts/problems.js";
import { Section } from "../kit/frame.js";
import { Listing, usePages } from "../kit/load.js";
import { ago } from "../kit/times.js";
import { agentName } from "./agent.js";
import { endDevice, endDevices, listDevices } from "../rest.js";

export function Devices() {
  const pages = usePages(listDevices);
  const others = pages.items?.some((one) => !one.current) ?? false;
  const act = (/** @type {Promise<void>} */ done, /** @type {string} */ said) =>
    done.then(
      () => {
        if (said) toast(said);
        pages.reload();
      },
      (error) => toast(sentence(codeOf(error)), "warning"),
    );
  const everywhere = html`<button type="button" class="button button-small" onClick=${() => void act(endDevices(), ME.everywhereDone)}>${ME.everywhere}</button>`;
  return html`<${Section} title=${ME.devices} lead=${ME.devicesLead} actions=${others && everywhere}>
    <${Listing} pages=${pages} empty=${null}>
      <ul class="entries">${pages.items?.map((one) => html`<li key=${one.id} class="entry">
        <div class="entry-text"><strong>${agentName(one.agent)}</strong>${one.current && html` <span class="tag tag-good">${ME.thisDevice}</span>`}
          <p class="hint">${ME.lastUsed(ago(one.used_at), one.source)}</p></div>
        ${!one.current && html`<button type="button" class="button button-small" onClick=${() => void act(endDevice(one.id), "")}>${ME.signOutDevice}<span class="hidden"> ${agentName(one.agent)}</span></button>`}
      </li>`)}</ul>
    <//>
  <//>`;
}
