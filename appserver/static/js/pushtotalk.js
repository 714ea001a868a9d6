/** The own microphone in a call: switched by a button, opened by the space bar while it is held. */

import { useEffect } from "../vendor/preact.js";
import * as local from "./local.js";
import { currentCall } from "./screens.js";
import { isFree } from "./shortcuts.js";
import { meeting, me, mustAsk, muted, toast } from "./store.js";
import { handOf } from "./meetingstate.js";

/** Mutes or unmutes; without a microphone it asks for one first, and without leave to speak it raises the hand. */
export async function toggleMute() {
  if (local.asking.value) return;
  if (mustAsk.value && muted.value) return askToSpeak();
  if (!local.stream.value) await local.startMicrophone();
  if (local.stream.value) currentCall()?.setMuted(!muted.value);
  else toast("No microphone: see Settings", "warning");
}

function askToSpeak() {
  toast("A host lets people speak here");
  if (!handOf(meeting.value.state, me.value)) void currentCall()?.meeting.hand(true);
}

/** The space bar, unless it is typed into something or presses something. */
export function usePushToTalk() {
  useEffect(() => {
    let held = false;
    const press = (/** @type {KeyboardEvent} */ event) => {
      if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !isFree(event)) return;
      if (event.key !== " " || isPressable(event.target)) return;
      event.preventDefault();
      if (!muted.value || mustAsk.value || !local.stream.value) return;
      held = true;
      currentCall()?.setMuted(false);
    };
    const release = (/** @type {Event} */ event) => {
      if (!held || (event instanceof KeyboardEvent && event.key !== " ")) return;
      held = false;
      currentCall()?.setMuted(true);
    };
    addEventListener("keydown", press);
    addEventListener("keyup", release);
    // A key that is let go in another window is never told.
    addEventListener("blur", release);
    return () => {
      removeEventListener("keydown", press);
      removeEventListener("keyup", release);
      removeEventListener("blur", release);
    };
  }, []);
}

/** @param {EventTarget | null} target what the space bar would press */
function isPressable(target) {
  return target instanceof Element && target.closest("button, a, summary, [tabindex='0']") !== null;
}
