/** What the meeting wants from us now: people at the door, somebody who asks us to unmute, leave to speak. */

import { html } from "../../vendor/preact.js";
import * as local from "../local.js";
import { handOf } from "../meetingstate.js";
import { toggleMute } from "../pushtotalk.js";
import { currentCall } from "../screens.js";
import { me, meeting, mustAsk, muted } from "../store.js";
import { DEVICES } from "../texts/outage.js";
import { Icon } from "./icons.js";

/** @param {{ onPeople: () => void, peopleOpen: boolean, onSettings: () => void }} props */
export function MeetingBanners({ onPeople, peopleOpen, onSettings }) {
  return html`<${MicrophoneBanner} onSettings=${onSettings} /><${AskBanner} /><${LobbyBanner} onPeople=${onPeople} peopleOpen=${peopleOpen} /><${SpeakBanner} />`;
}

/** @param {{ onPeople: () => void, peopleOpen: boolean }} props */
function LobbyBanner({ onPeople, peopleOpen }) {
  const waiting = meeting.value.lobby;
  const first = waiting[0];
  if (!first || peopleOpen) return null;
  return html`<div class="banner banner-quiet" role="status">
    <${Icon} name="door" />
    <p>${waiting.length === 1 ? html`<strong dir="auto">${first.display_name}</strong> is waiting to come in.` : html`<strong>${waiting.length} people</strong> are waiting to come in.`}</p>
    ${waiting.length === 1 && html`<button type="button" class="button button-primary button-small" onClick=${() => currentCall()?.meeting.admit(first.participant)}>Let in</button>`}
    <button type="button" class="button button-small" onClick=${onPeople}>See who</button>
  </div>`;
}

/** A host asks for what only we can do: until it is answered. */
function AskBanner() {
  const by = meeting.value.asked;
  if (by === null || !muted.value) return null;
  const done = () => (meeting.value = { ...meeting.value, asked: null });
  const unmute = () => {
    done();
    void toggleMute();
  };
  return html`<div class="banner banner-play" role="alert">
    <${Icon} name="mic" />
    <p><strong dir="auto">${by}</strong> asks you to unmute.</p>
    <button type="button" class="button button-primary button-small" onClick=${unmute}>Unmute now</button>
    <button type="button" class="button button-small" onClick=${done}>Stay muted</button>
  </div>`;
}

function SpeakBanner() {
  if (!mustAsk.value) return null;
  const place = handOf(meeting.value.state, me.value);
  return html`<div class="banner banner-quiet" role="status">
    <${Icon} name="hand" />
    <p>${place ? `Your hand is up, number ${place}. A host will let you speak.` : "Raise your hand if you want to speak: a host lets people speak one by one."}</p>
  </div>`;
}

/** The microphone has gone during the call, or the system keeps its sound back. @param {{ onSettings: () => void }} props */
function MicrophoneBanner({ onSettings }) {
  const words = local.lost.value ? DEVICES.lost : local.silent.value && !muted.value ? DEVICES.silent : null;
  if (!words) return null;
  return html`<div class="banner" role="alert">
    <${Icon} name="mic-off" />
    <p><strong>${words.title}</strong> ${words.detail}</p>
    ${local.lost.value && html`<button type="button" class="button button-small" onClick=${local.startMicrophone}>Try again</button>`}
    <button type="button" class="button button-small" onClick=${onSettings}>Settings</button>
  </div>`;
}
