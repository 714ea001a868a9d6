/** The front page: start a room, or go to one. */

import { html, useEffect, useSignal } from "../../vendor/preact.js";
import { pathOf, roomIn } from "../address.js";
import { user } from "../account.js";
import { getSite } from "../api.js";
import { navigate, startCall, startRoom } from "../screens.js";
import { ENDINGS } from "../text.js";
import { HOME } from "../texts/account.js";
import { Alert, Masthead, useHeading } from "./common.js";
import { Icon } from "./icons.js";
import { OwnRooms, SetUpNeeded } from "./ownrooms.js";
import { Table } from "./table.js";

export function Home() {
  const heading = useHeading("");
  const known = user.value !== null;
  return html`<div class="page">
    <${Masthead} />
    <main class=${`home ${known ? "home-known" : ""}`}>
      <section class="home-words">
        <h1 ref=${heading} tabindex="-1">One room,<br />every voice.</h1>
        <p class="lead">${known ? HOME.known : HOME.lead}</p>
        <${SetUpNeeded} />
        <div class="home-doors">
          <${OwnRooms} />
          <${NewRoom} />
          <p class="or"><span>or</span></p>
          <${EnterRoom} />
          <${CallSomebody} />
        </div>
      </section>
      <${Table} />
    </main>
  </div>`;
}

/** Level of the noise that a new room may have, -dBov: a quiet room. */
const NOISE_DBOV = 70;

function NewRoom() {
  const busy = useSignal(false);
  const problem = useSignal(/** @type {import("../text.js").EndReason | null} */ (null));
  const name = useSignal("");
  const announce = useSignal(false);
  const noise = useSignal(false);
  const wish = () => ({
    ...(name.value.trim() ? { name: name.value.trim() } : {}),
    ...(announce.value ? { announce: true } : {}),
    ...(noise.value ? { noise_dbov: NOISE_DBOV } : {}),
  });
  const start = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    problem.value = await startRoom(wish());
    busy.value = false;
  };
  return html`<form class="door" onSubmit=${start}>
    <div class="field">
      <label for="new-room">New room</label>
      <div class="field-row">
        <input id="new-room" type="text" maxlength="64" autocomplete="off" placeholder="Name (optional)" value=${name.value}
          onInput=${(/** @type {InputEvent} */ event) => (name.value = /** @type {HTMLInputElement} */ (event.target).value)} />
        <button type="submit" class="button button-primary" disabled=${busy.value}><${Icon} name="plus" />Start</button>
      </div>
    </div>
    <details class="more">
      <summary>Sound of the room</summary>
      <${Choice} chosen=${announce}>A short sound when somebody comes or goes<//>
      <${Choice} chosen=${noise}>A soft noise, so that silence does not sound like a dead line<//>
    </details>
    ${problem.value && html`<${Alert} tone="danger" title=${ENDINGS[problem.value].title} detail=${ENDINGS[problem.value].detail} />`}
  </form>`;
}

/** @param {{ chosen: import("../../vendor/preact.js").Signal<boolean>, children?: unknown }} props */
function Choice({ chosen, children }) {
  return html`<label class="choice">
    <input type="checkbox" checked=${chosen.value}
      onChange=${(/** @type {Event} */ event) => (chosen.value = /** @type {HTMLInputElement} */ (event.target).checked)} />
    <span>${children}</span>
  </label>`;
}

/** Shown where whoever comes may call out. */
function CallSomebody() {
  const shown = useSignal(false);
  const to = useSignal("");
  const busy = useSignal(false);
  const problem = useSignal(/** @type {import("../text.js").EndReason | null} */ (null));
  useEffect(() => {
    // Without an answer there is nothing to offer.
    getSite().then((site) => (shown.value = site.calls_out), () => {});
  }, []);
  const call = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy.value || !to.value.trim()) return;
    busy.value = true;
    problem.value = await startCall(to.value.trim());
    busy.value = false;
  };
  if (!shown.value) return null;
  return html`<form class="door" onSubmit=${call} novalidate>
    <p class="or"><span>or</span></p>
    <div class="field">
      <label for="call-somebody">Call a telephone</label>
      <div class="field-row">
        <input id="call-somebody" type="text" inputmode="tel" maxlength="256" autocomplete="off" autocapitalize="off" spellcheck=${false} placeholder="Number or SIP address"
          value=${to.value} onInput=${(/** @type {InputEvent} */ event) => (to.value = /** @type {HTMLInputElement} */ (event.target).value)} />
        <button type="submit" class="button" disabled=${busy.value}><${Icon} name="phone" />Call</button>
      </div>
    </div>
    ${problem.value && html`<${Alert} tone="danger" title=${ENDINGS[problem.value].title} detail=${ENDINGS[problem.value].detail} />`}
  </form>`;
}

function EnterRoom() {
  const text = useSignal("");
  const wrong = useSignal(false);
  const go = (/** @type {Event} */ event) => {
    event.preventDefault();
    const room = roomIn(text.value);
    wrong.value = room === null;
    if (room !== null) void navigate(pathOf(room));
  };
  return html`<form class="door" onSubmit=${go} novalidate>
    <div class="field">
      <label for="enter-room">Have a link or a room's code?</label>
      <div class="field-row">
        <input id="enter-room" type="text" autocomplete="off" autocapitalize="off" spellcheck=${false} placeholder="Paste it here"
          value=${text.value} aria-invalid=${wrong.value} aria-describedby=${wrong.value ? "enter-room-wrong" : undefined}
          onInput=${(/** @type {InputEvent} */ event) => (text.value = /** @type {HTMLInputElement} */ (event.target).value)} />
        <button type="submit" class="button">Go<${Icon} name="arrow" /></button>
      </div>
      ${wrong.value && html`<p class="field-error" id="enter-room-wrong" role="alert">That is neither a room's link nor its code.</p>`}
    </div>
  </form>`;
}
