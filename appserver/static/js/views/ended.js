/** The last screen of a call, and the only one of an address that leads nowhere. */

import { html } from "../../vendor/preact.js";
import { navigate, openAddress } from "../screens.js";
import { ENDINGS } from "../text.js";
import { Masthead, useHeading } from "./common.js";

/** @param {{ room: string | null, reason: import("../text.js").EndReason }} props */
export function Ended({ room, reason }) {
  const { title, detail, retry } = ENDINGS[reason];
  const heading = useHeading(title);
  const again = () => (reason === "protocol" ? location.reload() : void openAddress());
  return html`<div class="page">
    <${Masthead} />
    <main class="ended">
      <h1 ref=${heading} tabindex="-1">${title}</h1>
      <p class="lead">${detail}</p>
      <div class="ended-doors">
        ${retry && room && html`<button type="button" class="button button-primary button-large" onClick=${again}>${retry}</button>`}
        <button type="button" class="button button-large ${retry && room ? "" : "button-primary"}" onClick=${() => void navigate("/")}>Front page</button>
      </div>
    </main>
  </div>`;
}
