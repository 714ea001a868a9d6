/** Reactions: the row that sends them, and those that float over the stage. */

import { html } from "../../vendor/preact.js";
import { currentCall } from "../screens.js";
import { reactions } from "../store.js";

/** @type {ReadonlyArray<[import("../wire.js").ReactionSend["emoji"], string]>} with what they are called */
const EMOJI = [["👍", "Thumbs up"], ["👎", "Thumbs down"], ["👏", "Applause"], ["❤️", "Heart"], ["😂", "Laughing"], ["😮", "Surprised"], ["🎉", "Celebration"], ["🤔", "Thinking"]];

/** @param {{ onDone?: () => void }} props */
export function ReactionRow({ onDone }) {
  const send = (/** @type {import("../wire.js").ReactionSend["emoji"]} */ emoji) => {
    void currentCall()?.meeting.react(emoji);
    onDone?.();
  };
  return html`<div class="reaction-row" role="group" aria-label="Reactions">
    ${EMOJI.map(([emoji, name]) => html`<button type="button" class="reaction" onClick=${() => send(emoji)}><span aria-hidden="true">${emoji}</span><span class="hidden">${name}</span></button>`)}
  </div>`;
}

/** They rise and fade; who wants no motion sees them stand. Where they rise follows from their number, so that they spread. */
export function FloatingReactions() {
  return html`<div class="floating" aria-hidden="true">
    ${reactions.value.map(({ id, emoji, name }) => html`<span key=${id} class="floating-one" style=${{ "--lane": id % 7 }}><b>${emoji}</b><i dir="auto">${name}</i></span>`)}
  </div>`;
}
