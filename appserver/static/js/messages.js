/** How messages are shown: put together by who has written them, with days and times. Pure. */

/** @typedef {import("./wire.js").ChatMessage} ChatMessage */
/** @typedef {{ first: ChatMessage, messages: ChatMessage[], newDay: boolean }} Group */

/** Messages of one person this near to one another stand under one name, s. */
const TOGETHER_S = 300;

/** @param {readonly ChatMessage[]} chat in their order @returns {Group[]} */
export function grouped(chat) {
  /** @type {Group[]} */
  const groups = [];
  for (const message of chat) {
    const group = groups.at(-1);
    const before = group?.messages.at(-1);
    const newDay = !before || !sameDay(before.at, message.at);
    const goesOn = group && before && !newDay && before.participant === message.participant && message.at - before.at < TOGETHER_S;
    if (goesOn) group.messages.push(message);
    else groups.push({ first: message, messages: [message], newDay });
  }
  return groups;
}

/** Of a message that is read out. */
const MOST_SPOKEN = 240;

/**
 * What a screen reader says of messages that have come together: one in full, several as a number.
 * @param {readonly ChatMessage[]} fresh
 * @returns {string} "" for none
 */
export function spoken(fresh) {
  const last = fresh.at(-1);
  if (!last) return "";
  if (fresh.length > 1) return `${fresh.length} new messages, the last from ${last.display_name}`;
  return `${last.display_name}: ${last.text.length > MOST_SPOKEN ? `${last.text.slice(0, MOST_SPOKEN)}…` : last.text}`;
}

/** @param {number} one Unix time, s @param {number} other */
function sameDay(one, other) {
  return new Date(one * 1000).toDateString() === new Date(other * 1000).toDateString();
}

/** @param {number} at Unix time, s @returns {string} the time of day, as people write it here */
export function timeOf(at) {
  return new Date(at * 1000).toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" });
}

/** @param {number} at Unix time, s @param {number} now @returns {string} "Today", or the date */
export function dayOf(at, now) {
  if (sameDay(at, now)) return "Today";
  return new Date(at * 1000).toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long" });
}
