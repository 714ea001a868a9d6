/** Who is in the room and who talks: events go in, a new view and what is worth telling come out. Pure. */

import { loudness } from "./format.js";

/** @typedef {import("./wire.js").Participant} Participant */

/**
 * @typedef {object} View
 * @property {ReadonlyMap<string, Participant>} people  in the order of joining, by id
 * @property {ReadonlyMap<string, number>} speakers  loudness 0..1 by id, loudest first
 */

/**
 * Somebody came or went. `certain` is false when it was only seen by comparing rosters: after a restart of the media server people
 * vanish for a moment and come back.
 * @typedef {{ kind: "joined" | "left" | "raised", id: string, name: string, reason: string, certain: boolean }} Notice
 */

/** @typedef {{ view: View, notices: Notice[] }} Change */

/** @type {View} */
export const EMPTY = Object.freeze({ people: new Map(), speakers: new Map() });

/** Reasons that say for certain that somebody does not come back by itself at once. */
const FINAL_REASONS = new Set(["left", "bye", "removed", "room-closed"]);

/**
 * @param {View} view
 * @param {readonly Participant[]} participants the whole roster
 * @returns {Change}
 */
export function applyRoster(view, participants) {
  const people = new Map(participants.map((participant) => [participant.id, participant]));
  /** @type {Notice[]} */
  const notices = [];
  for (const [id, was] of view.people) {
    if (!people.has(id) && !isCalled(was)) notices.push({ kind: "left", id, name: was.display_name, reason: "", certain: false });
  }
  for (const [id, is] of people) {
    if (!view.people.has(id) && !isCalled(is)) notices.push({ kind: "joined", id, name: is.display_name, reason: "", certain: true });
  }
  const speakers = new Map([...view.speakers].filter(([id]) => people.has(id)));
  return { view: { people, speakers }, notices };
}

/**
 * @param {View} view
 * @param {import("./wire.js").RoomEvent} event
 * @returns {Change} the same view if the event says nothing about who is there
 */
export function applyEvent(view, event) {
  switch (event.type) {
    case "roster": return applyRoster(view, event.participants);
    case "participant": return changed(view, event.participant);
    case "left": return left(view, event.participant, event.reason);
    case "speakers": return { view: { ...view, speakers: talking(event.speakers) }, notices: [] };
    default: return { view, notices: [] };
  }
}

/**
 * @param {View} view
 * @param {Participant} participant
 * @returns {Change}
 */
function changed(view, participant) {
  const people = new Map(view.people).set(participant.id, participant);
  const was = view.people.get(participant.id);
  const came = !isCalled(participant) && (!was || isCalled(was));
  /** @type {Notice[]} */
  const notices = came ? [{ kind: "joined", id: participant.id, name: participant.display_name, reason: "", certain: true }] : [];
  return { view: { ...view, people }, notices };
}

/**
 * A replaced leg is no leaving: the participant is there with a new one.
 * @param {View} view
 * @param {string} id
 * @param {string} reason
 * @returns {Change}
 */
function left(view, id, reason) {
  const was = view.people.get(id);
  if (!was || reason === "replaced") return { view, notices: [] };
  const people = new Map(view.people);
  people.delete(id);
  const speakers = new Map(view.speakers);
  speakers.delete(id);
  if (isCalled(was)) return { view: { people, speakers }, notices: [] };
  return { view: { people, speakers }, notices: [{ kind: "left", id, name: was.display_name, reason, certain: FINAL_REASONS.has(reason) }] };
}

/** A telephone without sound yet: it rings, and has not come. @param {Participant} participant */
export function isCalled(participant) {
  return participant.kind === "rtp" && participant.state === "connecting";
}

/** @param {import("./wire.js").ActiveSpeaker[]} speakers @returns {Map<string, number>} */
function talking(speakers) {
  return new Map(speakers.map((speaker) => [speaker.participant, loudness(speaker.level)]));
}

/**
 * The order of tiles: oneself first, then the others as they joined. Nobody jumps about while people talk; only those who would
 * not fit are exchanged for those who talk.
 * @param {View} view
 * @param {string} own id
 * @param {number} limit of tiles
 * @returns {Participant[]}
 */
export function shownTiles(view, own, limit) {
  const all = [...view.people.values()];
  const ordered = [...all.filter((one) => one.id === own), ...all.filter((one) => one.id !== own)];
  if (ordered.length <= limit) return ordered;
  const shown = ordered.slice(0, limit);
  const hiddenTalkers = ordered.slice(limit).filter((one) => view.speakers.has(one.id)).slice(0, limit - 1);
  for (const talker of hiddenTalkers) {
    const place = shown.findLastIndex((one) => one.id !== own && !view.speakers.has(one.id));
    if (place > 0) shown[place] = talker;
  }
  return shown;
}
