/** The meeting of a call: what its events say goes to the store, wishes go to the server, and faults become toasts. */

import { codeOf } from "./problem.js";
import { MeetingApi } from "./meetingapi.js";
import { applyMeetingEvent, withMessages, withState } from "./meetingstate.js";
import * as store from "./store.js";
import { knock } from "./knock.js";
import { meetingFault } from "./texts/meeting.js";

/** How long a reaction floats. */
const REACTION_MS = 4000;
/** So much of a message is shown in passing. */
const MAX_TOLD = 80;
/** Reactions that float at once; more are not shown. */
const MAX_REACTIONS = 24;

export class Meeting {
  /** Calls that views await themselves, because they show the answer. */
  api;
  #lastReaction = 0;
  #lastNonce = 0;

  /**
   * @param {import("./wire.js").JoinReply} join
   * @param {import("./phone.js").Authorized} authorized
   */
  constructor(join, authorized) {
    this.api = new MeetingApi(join.room.id, authorized);
    store.role.value = join.role;
    if (join.meeting) store.meeting.value = withState(store.meeting.value, join.meeting);
    store.meeting.value = { ...withMessages(store.meeting.value, join.chat), earlier: join.chat_next };
    store.seenMessage.value = join.chat.at(-1)?.id ?? 0;
  }

  /** There is a connection: the first one, or one that may have missed something. @param {boolean} missed */
  welcomed(missed) {
    if (missed) void this.#catchUp();
    if (store.isHost.peek()) void this.#seeLobby();
  }

  /** @param {import("./wire.js").RoomEvent} event */
  happened(event) {
    const before = store.meeting.peek();
    store.meeting.value = applyMeetingEvent(before, event);
    if (event.type === "reaction") this.#float(event);
    if (event.type === "role") this.#becomes(event.role);
    if (event.type === "lobby" && event.waiting.some(({ participant }) => !before.lobby.some((one) => one.participant === participant))) knock();
    if (event.type === "chat") this.#tellMessage(event.message);
    if (event.type === "meeting") this.#tellOwn(before.state, event.state);
  }

  /** @param {Partial<import("./wire.js").MeetingPatch>} wish */
  patch(wish) {
    return this.#attempt(async () => {
      store.meeting.value = withState(store.meeting.peek(), await this.api.patch(wish));
    });
  }

  /** @param {boolean} raised */
  hand(raised) {
    return this.#attempt(() => this.api.hand(raised));
  }

  /** @param {import("./wire.js").ReactionSend["emoji"]} emoji */
  react(emoji) {
    return this.#attempt(() => this.api.react(emoji));
  }

  /** @param {string} participant @param {Partial<import("./wire.js").ParticipantPatch>} wish @param {string} [done] what is said when it is done */
  change(participant, wish, done) {
    return this.#attempt(() => this.api.change(participant, wish), done);
  }

  /** @param {string} participant */
  remove(participant) {
    return this.#attempt(() => this.api.remove(participant));
  }

  /** @param {string} participant @param {string} room @param {string} done */
  move(participant, room, done) {
    return this.#attempt(() => this.api.move(participant, room), done);
  }

  muteAll() {
    return this.#attempt(async () => {
      const { muted } = await this.api.muteAll();
      store.toast(muted === 1 ? "1 person was muted" : `${muted} people were muted`);
    });
  }

  lowerAll() {
    const hands = store.meeting.peek().state.hands;
    return this.#attempt(() => Promise.all(hands.map(({ participant }) => this.api.change(participant, { hand: false }))));
  }

  end() {
    return this.#attempt(() => this.api.end());
  }

  /** @param {string} participant */
  admit(participant) {
    this.#gone(participant);
    return this.#attempt(() => this.api.admit(participant));
  }

  admitAll() {
    return this.#attempt(() => this.api.admitAll());
  }

  /** @param {string} participant */
  refuse(participant) {
    this.#gone(participant);
    return this.#attempt(() => this.api.refuse(participant));
  }

  /** @param {string} text @returns {Promise<boolean>} whether it was sent */
  say(text) {
    // Told apart by it: an answer and its event are one message.
    const nonce = `${store.me.peek()}-${Date.now().toString(36)}-${++this.#lastNonce}`.slice(-64);
    return this.#attempt(async () => {
      store.meeting.value = withMessages(store.meeting.peek(), [await this.api.say(text, nonce)]);
    });
  }

  /** @param {number} message */
  unsay(message) {
    return this.#attempt(() => this.api.unsay(message));
  }

  /** The page of messages before those that are known. */
  older() {
    return this.#attempt(async () => {
      const found = await this.api.messages(store.meeting.peek().earlier);
      store.meeting.value = { ...withMessages(store.meeting.peek(), found.items), earlier: found.next };
    });
  }

  async #catchUp() {
    const [state, chat] = await Promise.allSettled([this.api.state(), this.api.messages(null)]);
    if (state.status === "fulfilled") store.meeting.value = withState(store.meeting.peek(), state.value);
    if (chat.status === "fulfilled") store.meeting.value = withMessages(store.meeting.peek(), chat.value.items);
  }

  async #seeLobby() {
    // Without an answer the next event tells.
    const found = await this.api.lobby().catch(() => null);
    if (found) store.meeting.value = { ...store.meeting.peek(), lobby: found.items };
  }

  /** Taken off the list before the server's answer: nobody presses twice. @param {string} participant */
  #gone(participant) {
    const meeting = store.meeting.peek();
    store.meeting.value = { ...meeting, lobby: meeting.lobby.filter((one) => one.participant !== participant) };
  }

  /** @param {import("./wire.js").JoinReply["role"]} role */
  #becomes(role) {
    if (role === store.role.peek()) return;
    store.role.value = role;
    store.toast(role === "host" ? "You are a host now" : "You are not a host any more");
    if (role === "host") void this.#seeLobby();
  }

  /**
   * What has changed for ourselves, in words.
   * @param {import("./wire.js").MeetingState} before
   * @param {import("./wire.js").MeetingState} after
   */
  #tellOwn(before, after) {
    if (store.isHost.peek()) return;
    const own = store.me.peek();
    const may = (/** @type {import("./wire.js").MeetingState} */ state) => state.speak === "all" || state.speakers.includes(own);
    if (may(before) && !may(after)) store.toast("Raise your hand to speak: a host lets people speak", "plain");
    if (!may(before) && may(after)) store.toast("You may speak now", "plain");
    if (before.spotlight !== own && after.spotlight === own) store.toast("You are in the spotlight", "plain");
  }

  /** A message that is not on the screen is shown for a moment. @param {import("./wire.js").ChatMessage} message */
  #tellMessage({ participant, display_name, text }) {
    if (participant === store.me.peek() || store.chatOpen.peek()) return;
    store.toast(`${display_name}: ${text.length > MAX_TOLD ? `${text.slice(0, MAX_TOLD)}…` : text}`, "plain", "chat");
  }

  /** @param {import("./wire.js").ReactionEvent} event */
  #float(event) {
    if (store.reactions.peek().length >= MAX_REACTIONS) return;
    const id = ++this.#lastReaction;
    store.reactions.value = [...store.reactions.peek(), { id, emoji: event.emoji, name: event.display_name, participant: event.participant }];
    setTimeout(() => (store.reactions.value = store.reactions.peek().filter((one) => one.id !== id)), REACTION_MS);
  }

  /**
   * @param {() => Promise<unknown>} act
   * @param {string} [done]
   * @returns {Promise<boolean>} whether it was done
   */
  async #attempt(act, done) {
    try {
      await act();
      if (done) store.toast(done);
      return true;
    } catch (error) {
      store.toast(meetingFault(codeOf(error)), "warning");
      return false;
    }
  }
}
