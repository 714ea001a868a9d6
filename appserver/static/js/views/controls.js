/** The row of controls under the stage; on a phone what is needed seldom lies behind "More". */

import { html, useSignal } from "../../vendor/preact.js";
import * as local from "../local.js";
import { handOf } from "../meetingstate.js";
import { toggleMute } from "../pushtotalk.js";
import { currentCall } from "../screens.js";
import { SHORTCUTS } from "../shortcuts.js";
import { callsOut, isHost, me, meeting, mustAsk, muted, unreadMessages } from "../store.js";
import { people } from "../voice.js";
import { Dialog } from "./dialog.js";
import { Icon } from "./icons.js";
import { asksBeforeLeaving } from "./leavedialog.js";
import { ReactionRow } from "./reactions.js";

/** @typedef {"settings" | "invite" | "dial" | "host" | "statistics" | "keys" | "more" | "leave"} DialogName */
/** @typedef {"people" | "chat" | null} Panel */
/** @typedef {{ name: DialogName, icon: string, words: string }} Door  to a dialog */

/** @returns {Door[]} what this person can open */
function doors() {
  return [
    ...(isHost.value ? [{ name: /** @type {DialogName} */ ("host"), icon: "shield", words: "Host tools" }] : []),
    { name: "invite", icon: "link", words: "Invite" },
    ...(callsOut.value ? [{ name: /** @type {DialogName} */ ("dial"), icon: "phone", words: "Call" }] : []),
    { name: "settings", icon: "settings", words: "Settings" },
  ];
}

/** @param {{ panel: Panel, onPanel: (panel: Panel) => void, onOpen: (name: DialogName) => void }} props */
export function Controls({ panel, onPanel, onOpen }) {
  const toggle = (/** @type {Panel} */ which) => () => onPanel(panel === which ? null : which);
  return html`<section class="controls" aria-label="Call controls">
    <${MicrophoneButton} />
    <${HandButton} />
    <${ReactionButton} />
    <${PanelButton} icon="chat" words="Chat" name="chat" open=${panel === "chat"} count=${panel === "chat" ? 0 : unreadMessages.value} told="unread" onPress=${toggle("chat")} />
    <${PeopleButton} open=${panel === "people"} onPress=${toggle("people")} />
    ${doors().map(({ name, icon, words }) => html`<button key=${name} type="button" class="control control-wide" onClick=${() => onOpen(name)}><${Icon} name=${icon} size=${22} /><span>${words}</span></button>`)}
    <button type="button" class="control control-more" onClick=${() => onOpen("more")}><${Icon} name="more" size=${22} /><span>More</span></button>
    <button type="button" class="control control-leave" onClick=${() => (asksBeforeLeaving() ? onOpen("leave") : currentCall()?.leave())}><${Icon} name="leave" size=${22} /><span>Leave</span></button>
  </section>`;
}

function MicrophoneButton() {
  const off = muted.value || local.stream.value === null;
  const words = local.asking.value ? "Opening…" : mustAsk.value && off ? "Ask to speak" : off ? "Unmute" : "Mute";
  return html`<button type="button" class="control control-mic ${off ? "is-off" : ""}" aria-keyshortcuts="M" onClick=${toggleMute}>
    <${Icon} name=${off ? "mic-off" : "mic"} size=${22} /><span>${words}</span>
  </button>
  <span class="hidden" role="status">${off ? "Microphone off" : "Microphone on"}</span>`;
}

function HandButton() {
  const place = handOf(meeting.value.state, me.value);
  return html`<button type="button" class="control control-hand" aria-keyshortcuts="H" aria-pressed=${place > 0} onClick=${() => currentCall()?.meeting.hand(place === 0)}>
    <${Icon} name="hand" size=${22} /><span>${place > 0 ? "Lower hand" : "Raise hand"}</span>
  </button>`;
}

function ReactionButton() {
  const open = useSignal(false);
  return html`<div class="control-wide react">
    ${open.value && html`<div class="react-row"><${ReactionRow} /></div>`}
    <button type="button" class="control" aria-expanded=${open.value} onClick=${() => (open.value = !open.value)}><${Icon} name="smile" size=${22} /><span>React</span></button>
  </div>`;
}

/** @param {{ name: "chat" | "people", icon: string, words: string, open: boolean, count: number, told?: string, loud?: boolean, onPress: () => void }} props */
function PanelButton({ name, icon, words, open, count, told = "", loud = true, onPress }) {
  return html`<button type="button" class="control" data-panel=${name} aria-keyshortcuts=${SHORTCUTS[name][0]} aria-pressed=${open} onClick=${onPress}>
    <${Icon} name=${icon} size=${22} /><span>${words}</span>${count > 0 && html`<span class="hidden"> ${count} ${told}</span>`}
    ${count > 0 && html`<b class="badge ${loud ? "badge-loud" : ""}" aria-hidden="true">${count > 99 ? "99+" : count}</b>`}
  </button>`;
}

/** The number of those who wait is more urgent than that of those who are here. @param {{ open: boolean, onPress: () => void }} props */
function PeopleButton({ open, onPress }) {
  const waiting = meeting.value.lobby.length;
  if (waiting) return html`<${PanelButton} name="people" icon="people" words="People" open=${open} count=${waiting} told="waiting" onPress=${onPress} />`;
  return html`<${PanelButton} name="people" icon="people" words="People" open=${open} count=${people.value.size} loud=${false} onPress=${onPress} />`;
}

/** @param {{ onOpen: (name: DialogName) => void, onClose: () => void }} props */
export function More({ onOpen, onClose }) {
  return html`<${Dialog} title="More" onClose=${onClose}>
    <${ReactionRow} onDone=${onClose} />
    <ul class="deeds">
      ${[...doors(), { name: /** @type {DialogName} */ ("statistics"), icon: "chart", words: "Connection" }].map(({ name, icon, words }) => html`<li key=${name}>
        <button type="button" class="deed" onClick=${() => onOpen(name)}><${Icon} name=${icon} />${words}</button>
      </li>`)}
    </ul>
  <//>`;
}
