/** What the pages of records say. */

export const RECORDS = Object.freeze({
  title: "Records",
  lead: "Meetings in your rooms, and those that you took part in.",
  back: "Records",
  who: "Find by a participant's name",
  after: "From",
  before: "To",
  everyone: "Everybody's meetings",
  csv: "Export CSV",
  json: "Export JSON",
  none: "No meetings yet",
  noneDetail: "When people have met, you find here who was there and how well they heard each other.",
  noneFound: "No such meeting",
  noneFoundDetail: "Nothing fits what you look for. Widen the time or the name.",
  ofRoom: (/** @type {string} */ room) => `Room ${room}`,
  allRooms: "All rooms",
  table: "Meetings",
  columns: Object.freeze({ room: "Room", started: "Began", lasted: "Lasted", people: "People", heard: "Heard" }),
  now: "going on",
  most: (/** @type {number} */ most) => `at most ${most} at once`,
});

export const RECORD = Object.freeze({
  title: "Meeting",
  began: "Began",
  lasted: "Lasted",
  ended: "Ended",
  people: "People",
  heard: "Heard",
  openRoom: "The room",
  stays: "Who was there",
  staysLead: "What each one sent and heard: loss of packets, jitter, and speech quality as the E-model reckons it (1 to 4.4).",
  columns: Object.freeze({ name: "Name", came: "Came", stayed: "Stayed", codec: "Codec", loss: "Loss in / out", jitter: "Jitter in / out", mos: "Quality in / out", reason: "Left because" }),
  remove: "Delete the record",
  removeLead: "Names, times and qualities of this meeting go with it.",
  removeTitle: "Delete this record?",
  removeDetail: "This can't be undone.",
  removed: "The record is deleted.",
  phone: "telephone",
  host: "Host",
  still: "still there",
});

/** Why a meeting ended. @type {Readonly<Record<string, string>>} */
export const ENDS = Object.freeze({ empty: "The last one left", ended: "A host ended it", lost: "The media server failed" });

/** Why a stay ended (docs/wire.md). @type {Readonly<Record<string, string>>} */
export const LEFT = Object.freeze({
  left: "Left",
  bye: "Hung up",
  removed: "Removed by a host",
  "room-closed": "The room was closed",
  ended: "A host ended the meeting",
  moved: "Moved to another room",
  "ice-timeout": "Connection lost",
  "media-timeout": "Connection lost",
  "dtls-failed": "Connection lost",
  "fingerprint-mismatch": "Connection lost",
  "owner-gone": "Connection lost",
  lost: "Media server failed",
  draining: "Moved to another media server",
});

/** How speech of a quality sounds to people: at least this, and the words. @type {readonly (readonly [number, "good" | "fair" | "poor", string])[]} */
export const MOS = Object.freeze([[4.0, "good", "good"], [3.6, "fair", "fair"], [0, "poor", "poor"]]);
