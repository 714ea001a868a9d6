/** What a meeting is like beside its roster: events go in, a new value comes out. Pure. */

/** @typedef {import("./wire.js").MeetingState} MeetingState */
/** @typedef {import("./wire.js").ChatMessage} ChatMessage */
/** @typedef {import("./wire.js").Waiting} Waiting */

/**
 * @typedef {object} Meeting
 * @property {MeetingState} state
 * @property {readonly Waiting[]} lobby  who waits; for hosts alone
 * @property {readonly ChatMessage[]} chat  by id
 * @property {string | null} earlier  the page of messages before those; null: there are none
 * @property {string | null} asked  who asks us to unmute
 */

/** Messages that the page keeps; the oldest go first. */
export const MAX_MESSAGES = 1000;

/** @type {Meeting} */
export const NO_MEETING = Object.freeze({
  state: Object.freeze({ version: 0, locked: false, lobby: false, speak: "all", started_at: null, spotlight: null, hands: [], speakers: [], waiting: 0 }),
  lobby: [],
  chat: [],
  earlier: null,
  asked: null,
});

/**
 * @param {Meeting} meeting
 * @param {import("./wire.js").RoomEvent} event
 * @returns {Meeting} the same one if the event says nothing about it
 */
export function applyMeetingEvent(meeting, event) {
  switch (event.type) {
    case "meeting": return withState(meeting, event.state);
    case "lobby": return { ...meeting, lobby: event.waiting };
    case "chat": return withMessages(meeting, [event.message]);
    case "chat_deleted": return { ...meeting, chat: meeting.chat.filter(({ id }) => id !== event.id) };
    case "ask": return { ...meeting, asked: event.by };
    case "role": return event.role === "host" ? meeting : { ...meeting, lobby: [] };
    default: return meeting;
  }
}

/**
 * @param {Meeting} meeting
 * @param {MeetingState} state one that is older than what is known is stale
 * @returns {Meeting}
 */
export function withState(meeting, state) {
  return state.version < meeting.state.version ? meeting : { ...meeting, state };
}

/**
 * @param {Meeting} meeting
 * @param {readonly ChatMessage[]} messages new or known
 * @returns {Meeting}
 */
export function withMessages(meeting, messages) {
  const byId = new Map([...meeting.chat, ...messages].map((message) => [message.id, message]));
  const chat = [...byId.values()].sort((one, other) => one.id - other.id).slice(-MAX_MESSAGES);
  return { ...meeting, chat };
}

/** @param {MeetingState} state @param {string} participant @returns {number} their place among those who raise a hand, from 1; 0: they do not */
export function handOf(state, participant) {
  return state.hands.findIndex((hand) => hand.participant === participant) + 1;
}

/** @param {MeetingState} before @param {MeetingState} after @returns {string[]} who has raised a hand between */
export function raisedBetween(before, after) {
  return after.hands.map(({ participant }) => participant).filter((participant) => handOf(before, participant) === 0);
}

/**
 * @param {readonly ChatMessage[]} chat
 * @param {number} seen id of the last message that was seen
 * @param {string} own id: what one has written oneself is no news
 * @returns {number}
 */
export function unread(chat, seen, own) {
  return chat.filter(({ id, participant }) => id > seen && participant !== own).length;
}
