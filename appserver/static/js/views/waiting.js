/** At the door of a room: what one waits for, and the way out. */

import { html, useEffect, useSignal } from "../../vendor/preact.js";
import { elapsed } from "../format.js";
import { stopWaiting } from "../screens.js";
import { waitingWords } from "../texts/meeting.js";
import { Avatar, Masthead, useHeading } from "./common.js";
import { LevelBar, MicrophoneChoice, MicrophoneFault, SpeakerChoice } from "./devices.js";
import { Icon } from "./icons.js";

/** @param {{ room: import("../wire.js").RoomInfo, displayName: string }} props */
export function WaitingRoom({ room, displayName }) {
  const { title, detail } = waitingWords(room);
  const heading = useHeading(`Waiting for ${room.name}`);
  return html`<div class="page">
    <${Masthead} />
    <main class="waiting">
      <div class="waiting-face" aria-hidden="true"><${Avatar} name=${displayName} /></div>
      <p class="eyebrow" dir="auto">${room.name}</p>
      <h1 ref=${heading} tabindex="-1">${title}</h1>
      <p class="lead">${detail}</p>
      <p class="waiting-state" role="status"><span class="spinner" aria-hidden="true"></span><span dir="auto">Waiting as ${displayName}</span></p>
      <${Patience} />
      <details class="card waiting-devices">
        <summary>Microphone and speaker</summary>
        <div class="waiting-choices">
          <${MicrophoneFault} />
          <${MicrophoneChoice} />
          <${LevelBar} />
          <${SpeakerChoice} />
        </div>
      </details>
      <button type="button" class="button button-large" onClick=${stopWaiting}><${Icon} name="leave" />Leave</button>
    </main>
  </div>`;
}

/** For how long; not told again and again by screen readers. */
function Patience() {
  const seconds = useSignal(0);
  useEffect(() => {
    const since = performance.now();
    const timer = setInterval(() => (seconds.value = (performance.now() - since) / 1000), 1000);
    return () => clearInterval(timer);
  }, []);
  return html`<p class="clock" role="timer" aria-label="Time waited">${elapsed(seconds.value)}</p>`;
}
