/** The chat beside the stage: history, what is written now, the field to write. */

import { html, useEffect, useLayoutEffect, useRef, useSignal } from "../../vendor/preact.js";
import { pieces } from "../links.js";
import { dayOf, grouped, spoken, timeOf } from "../messages.js";
import { currentCall } from "../screens.js";
import { chatOpen, dismissKind, isHost, me, meeting, seenMessage } from "../store.js";
import { onEscape } from "./dialog.js";
import { Icon } from "./icons.js";

/** Of a message. */
const MAX_LENGTH = 2000;
/** Messages that come within this of one another are read out as one sentence. */
const GATHER_MS = 1000;
/** So near to the end counts as being there, px. */
const NEAR = 48;

/** @param {{ onClose: () => void }} props */
export function ChatPanel({ onClose }) {
  useEffect(() => {
    chatOpen.value = true;
    dismissKind("chat");
    return () => void (chatOpen.value = false);
  }, []);
  return html`<aside class="panel chat" aria-label="Chat" onKeyDown=${onEscape(onClose)}>
    <div class="panel-head">
      <h2>Chat</h2>
      <button type="button" class="button button-round button-ghost" onClick=${onClose}><${Icon} name="close" /><span class="hidden">Close the chat</span></button>
    </div>
    <${Messages} />
    <${Voice} />
    <${Writer} />
  </aside>`;
}

/** Messages that come while one reads, for screen readers: at most one sentence in a while, however many are written. */
function Voice() {
  const told = useRef(meeting.peek().chat.at(-1)?.id ?? 0);
  const words = useSignal("");
  const last = meeting.value.chat.at(-1)?.id ?? 0;
  useEffect(() => {
    const timer = setTimeout(() => {
      const fresh = meeting.peek().chat.filter(({ id, participant }) => id > told.current && participant !== me.peek());
      told.current = Math.max(told.current, last);
      if (fresh.length) words.value = spoken(fresh);
    }, GATHER_MS);
    return () => clearTimeout(timer);
  }, [last]);
  return html`<p class="hidden" role="status" aria-label="New messages">${words.value}</p>`;
}

function Messages() {
  const list = useRef(/** @type {HTMLDivElement | null} */ (null));
  const atEnd = useRef(true);
  const chat = meeting.value.chat;
  const last = chat.at(-1)?.id ?? 0;
  useLayoutEffect(() => {
    const element = list.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [last, chat.length]);
  useEffect(() => {
    seenMessage.value = Math.max(seenMessage.peek(), last);
  }, [last]);
  const scrolled = () => {
    const element = list.current;
    if (element) atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
  };
  return html`<div class="messages" ref=${list} onScroll=${scrolled} role="log" aria-live="off" aria-label="Messages" tabindex="0">
    <${Earlier} />
    ${chat.length === 0 && html`<p class="chat-empty"><${Icon} name="chat" size=${28} />Nothing has been written yet. Everybody in the room reads what you write, also those who come later.</p>`}
    ${grouped(chat).map((group) => html`<div key=${group.first.id} class="talk ${group.first.participant === me.value ? "talk-own" : ""}">
      ${group.newDay && html`<p class="chat-day">${dayOf(group.first.at, Date.now() / 1000)}</p>`}
      <p class="talk-head"><b dir="auto">${group.first.participant === me.value ? "You" : group.first.display_name}</b> <time datetime=${new Date(group.first.at * 1000).toISOString()}>${timeOf(group.first.at)}</time></p>
      ${group.messages.map((message) => html`<${Message} key=${message.id} message=${message} />`)}
    </div>`)}
  </div>`;
}

/** Offered only while there is a page before those that are known. */
function Earlier() {
  const busy = useSignal(false);
  if (meeting.value.earlier === null) return null;
  const load = async () => {
    busy.value = true;
    await currentCall()?.meeting.older();
    busy.value = false;
  };
  return html`<button type="button" class="button button-small button-ghost earlier" disabled=${busy.value} onClick=${load}>${busy.value ? "Loading…" : "Earlier messages"}</button>`;
}

/** @param {{ message: import("../wire.js").ChatMessage }} props */
function Message({ message }) {
  const gone = () => {
    void currentCall()?.meeting.unsay(message.id);
    document.getElementById("chat-text")?.focus();
  };
  return html`<div class="message" data-message=${message.id}>
    <p dir="auto">${pieces(message.text).map(({ text, href }) => (href ? html`<a href=${href} target="_blank" rel="noopener noreferrer nofollow">${text}</a>` : text))}</p>
    ${isHost.value && html`<button type="button" class="button button-round button-ghost message-gone" onClick=${gone}><${Icon} name="trash" size=${16} /><span class="hidden">Delete the message</span></button>`}
  </div>`;
}

/** Enter sends, with Shift it makes a line. */
function Writer() {
  const text = useSignal("");
  const busy = useSignal(false);
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  useEffect(() => field.current?.focus(), []);
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (!words || busy.value) return;
    busy.value = true;
    // What could not be sent stays in the field.
    if (await currentCall()?.meeting.say(words)) text.value = "";
    busy.value = false;
    field.current?.focus();
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) void send(event);
  };
  return html`<form class="writer" onSubmit=${send}>
    <label class="hidden" for="chat-text">Message to everybody</label>
    <textarea id="chat-text" ref=${field} rows="1" maxlength=${MAX_LENGTH} placeholder="Message to everybody" value=${text.value} onKeyDown=${press}
      onInput=${(/** @type {InputEvent} */ event) => (text.value = /** @type {HTMLTextAreaElement} */ (event.target).value)}></textarea>
    <button type="submit" class="button button-round button-primary" disabled=${busy.value || !text.value.trim()}><${Icon} name="send" size=${18} /><span class="hidden">Send</span></button>
  </form>`;
}
