/** The front page: start a room, or go to one. */

import { html, useSignal } from "../../vendor/preact.js";
import { pathOf, roomIn } from "../address.js";
import { navigate, startRoom } from "../screens.js";
import { ENDINGS } from "../text.js";
import { Alert, Masthead, useHeading } from "./common.js";
import { Icon } from "./icons.js";
import { Table } from "./table.js";

export function Home() {
  const heading = useHeading("");
  return html`<div class="page">
    <${Masthead} />
    <main class="home">
      <section class="home-words">
        <h1 ref=${heading} tabindex="-1">One room,<br />every voice.</h1>
        <p class="lead">Talk with people in browsers and on phones. No account and nothing to install: open a room and send the link.</p>
        <div class="home-doors">
          <${NewRoom} />
          <p class="or"><span>or</span></p>
          <${EnterRoom} />
        </div>
      </section>
      <${Table} />
    </main>
  </div>`;
}

function NewRoom() {
  const busy = useSignal(false);
  const problem = useSignal(/** @type {import("../text.js").EndReason | null} */ (null));
  const name = useSignal("");
  const start = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    problem.value = await startRoom(name.value.trim());
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
