/** The room: people, what the meeting wants, controls, and the sound itself. */

import { html, useEffect, useSignal } from "../../vendor/preact.js";
import { elapsed } from "../format.js";
import { handOf } from "../meetingstate.js";
import { toggleMute, usePushToTalk } from "../pushtotalk.js";
import { currentCall } from "../screens.js";
import { useShortcuts } from "../shortcuts.js";
import { everHeard, joinedAt, me, meeting } from "../store.js";
import { people } from "../voice.js";
import { ChatPanel } from "./chat.js";
import { useHeading } from "./common.js";
import { Controls, More } from "./controls.js";
import { HostTools } from "./hosttools.js";
import { Icon, Mark } from "./icons.js";
import { Invite } from "./invite.js";
import { LeaveDialog } from "./leavedialog.js";
import { LinkBanner, LinkMark } from "./linkmark.js";
import { MeetingBanners } from "./meetingbanners.js";
import { Stage } from "./people.js";
import { PeoplePanel } from "./peoplepanel.js";
import { CallLines, Dialer, IncomingCall } from "./phone.js";
import { FloatingReactions } from "./reactions.js";
import { Settings } from "./settings.js";
import { Shortcuts } from "./shortcuts.js";
import { PlayBanner, Sound } from "./sound.js";
import { Statistics } from "./statistics.js";

/** From this width on a panel stands beside the stage, and the list of people is open at first. */
const WIDE = "(min-width: 75rem)";

/** @param {{ room: import("../wire.js").RoomInfo }} props */
export function Room({ room }) {
  const heading = useHeading(room.name);
  const panel = useSignal(/** @type {import("./controls.js").Panel} */ (matchMedia(WIDE).matches ? "people" : null));
  const dialog = useSignal(/** @type {import("./controls.js").DialogName | null} */ (null));
  const open = (/** @type {import("./controls.js").DialogName} */ name) => (dialog.value = name);
  const show = (/** @type {import("./controls.js").Panel} */ which) => (panel.value = which);
  const shut = () => closePanel(panel);
  const toggle = (/** @type {"people" | "chat"} */ which) => (panel.value === which ? shut() : show(which));
  usePushToTalk();
  useShortcuts({
    mute: () => void toggleMute(),
    hand: () => void currentCall()?.meeting.hand(handOf(meeting.peek().state, me.peek()) === 0),
    chat: () => toggle("chat"),
    people: () => toggle("people"),
    help: () => open("keys"),
  });
  return html`<div class="room ${panel.value ? "with-panel" : ""}">
    <header class="room-head">
      <${Mark} size=${24} />
      <h1 ref=${heading} tabindex="-1" dir="auto">${room.name}</h1>
      <${RoomMarks} />
      <${Clock} />
      <${LinkMark} onOpen=${() => open("statistics")} />
    </header>
    <main class="room-main">
      <${LinkBanner} />
      <${PlayBanner} />
      <${MeetingBanners} onPeople=${() => show("people")} peopleOpen=${panel.value === "people"} onSettings=${() => open("settings")} />
      <${CallLines} />
      <${Stage} onMore=${() => show("people")} />
      ${everHeard.value && isAlone() && html`<${Alone} onInvite=${() => open("invite")} />`}
      <${FloatingReactions} />
    </main>
    ${panel.value === "people" && html`<${PeoplePanel} onClose=${shut} />`}
    ${panel.value === "chat" && html`<${ChatPanel} onClose=${shut} />`}
    <${Controls} panel=${panel.value} onPanel=${show} onOpen=${open} />
    <${OpenDialog} name=${dialog.value} link=${room.join_url} onOpen=${open} onClose=${() => (dialog.value = null)} />
    <${IncomingCall} />
    <${Sound} />
  </div>`;
}

/** The focus goes to the button that opens the panel again. @param {import("../../vendor/preact.js").Signal<import("./controls.js").Panel>} panel */
function closePanel(panel) {
  const button = document.querySelector(`[data-panel="${panel.peek()}"]`);
  panel.value = null;
  if (button instanceof HTMLElement) button.focus();
}

/** @param {{ name: import("./controls.js").DialogName | null, link: string, onOpen: (name: import("./controls.js").DialogName) => void, onClose: () => void }} props */
function OpenDialog({ name, link, onOpen, onClose }) {
  switch (name) {
    case "settings": return html`<${Settings} onKeys=${() => onOpen("keys")} onClose=${onClose} />`;
    case "keys": return html`<${Shortcuts} onClose=${onClose} />`;
    case "invite": return html`<${Invite} link=${link} onClose=${onClose} />`;
    case "dial": return html`<${Dialer} onClose=${onClose} />`;
    case "host": return html`<${HostTools} onClose=${onClose} />`;
    case "statistics": return html`<${Statistics} onClose=${onClose} />`;
    case "leave": return html`<${LeaveDialog} onClose=${onClose} />`;
    case "more": return html`<${More} onOpen=${onOpen} onClose=${onClose} />`;
    default: return null;
  }
}

/** Whether the room is locked, and whether its guests wait in a lobby. */
function RoomMarks() {
  const { locked, lobby } = meeting.value.state;
  return html`<p class="room-marks">
    ${locked && html`<span class="room-mark"><${Icon} name="lock" size=${16} /><span class="room-mark-words">Locked</span></span>`}
    ${lobby && html`<span class="room-mark"><${Icon} name="door" size=${16} /><span class="room-mark-words">Lobby</span></span>`}
  </p>`;
}

/** Nobody is here or at the door. */
function isAlone() {
  return people.value.size === 1 && meeting.value.lobby.length === 0;
}

/** @param {{ onInvite: () => void }} props */
function Alone({ onInvite }) {
  return html`<div class="alone">
    <p><strong>You are the only one here.</strong> Send the link to those whom you want to talk with.</p>
    <button type="button" class="button button-primary" onClick=${onInvite}><${Icon} name="link" />Invite people</button>
  </div>`;
}

function Clock() {
  const text = useSignal("0:00");
  useEffect(() => {
    const tick = () => (text.value = joinedAt.value ? elapsed((performance.now() - joinedAt.value) / 1000) : "0:00");
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, []);
  return html`<span class="clock" role="timer" aria-label="Time in the room">${text.value}</span>`;
}
