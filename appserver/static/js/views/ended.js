/** The last screen of a call, and the only one of an address that leads nowhere. */

import { html, useEffect, useRef } from "../../vendor/preact.js";
import { returns } from "../health.js";
import { navigate, openAddress } from "../screens.js";
import { ENDINGS } from "../text.js";
import { Masthead, useHeading } from "./common.js";

/** Ends that are over by themselves when the server is back. @type {ReadonlySet<string>} */
const PASSING = new Set(["unreachable", "database"]);

/** @param {{ room: string | null, reason: import("../text.js").EndReason }} props */
export function Ended({ room, reason }) {
  const { title, detail, retry } = ENDINGS[reason];
  const heading = useHeading(title);
  const again = () => (reason === "protocol" ? location.reload() : void openAddress());
  const before = useRef(returns.peek());
  const way = retry && (room || PASSING.has(reason));
  useEffect(() => {
    if (PASSING.has(reason) && returns.value > before.current) void openAddress();
  }, [returns.value]);
  return html`<div class="page">
    <${Masthead} />
    <main class="ended">
      <h1 ref=${heading} tabindex="-1">${title}</h1>
      <p class="lead">${detail}</p>
      <div class="ended-doors">
        ${way && html`<button type="button" class="button button-primary button-large" onClick=${again}>${retry}</button>`}
        <button type="button" class="button button-large ${way ? "" : "button-primary"}" onClick=${() => void navigate("/")}>Front page</button>
      </div>
    </main>
  </div>`;
}
