/** What the administrator's page of telephony says: calls out, the rules in plain words, numbers, what else is set up. */

export const CALLS_OUT = Object.freeze({
  title: "Calls out",
  none: "Nobody can call out of a room yet.",
  refused: "A rule refuses every call out of a room.",
  some: "Whoever may dial out of a room can call what the rules for calls out allow.",
  all: "Whoever may dial out of a room can call any SIP address that this server reaches.",
  allow: "Let rooms call SIP addresses",
  allowTitle: "Let rooms call SIP addresses?",
  allowDetail: "Whoever may dial out of a room, which are its hosts unless the configuration says otherwise, can then call any SIP address that this server reaches.",
  allowAction: "Let them call",
  allowed: "Rooms can call SIP addresses now.",
});

export const RULES = Object.freeze({
  title: "Rules",
  lead: "A call goes by the first rule that fits, in this order. A change counts from the next call on.",
  none: "No rule",
  noneDetail: "Without one no call comes in, and none goes out.",
  create: "New rule",
  make: "Make the rule",
  change: "Change",
  changeTitle: "Change the rule",
  save: "Save",
  saved: "Saved.",
  made: "The rule is made.",
  remove: "Delete",
  removeTitle: "Delete this rule?",
  removed: "The rule is deleted.",
  named: (/** @type {number} */ position) => `the rule at position ${position}`,
  disabled: "Disabled",
  position: "Position",
  positionHint: "The lowest is asked first.",
  direction: "Calls",
  source: "Who calls",
  trunkName: "Which trunk",
  trunkNameHint: "Its name. Empty: each of them.",
  accountName: "Which account",
  accountNameHint: "Its user name. Empty: each of them.",
  pattern: "What is dialled",
  patternHint: "4711: just that. X: one digit. A point at the end: anything more. A point alone: everything.",
  domain: "At which host",
  domainHint: "meet.example, or *.example for all below it. Empty: any.",
  action: "What happens",
  target: Object.freeze({ room: "Which room", user: "Whose name", trunk: "Which trunks" }),
  targetHint: Object.freeze({
    room: "A room's id or number; {user} is what was dialled, {number} the changed number.",
    user: "A name; {user} is what was dialled, {number} the changed number.",
    trunk: "Their names, by commas: the next one is tried when one fails.",
  }),
  status: "SIP status of the refusal",
  statusHint: "403: forbidden. 404: not found. 486: busy.",
  more: "More",
  strip: "Characters to take away",
  stripHint: "In front of the number.",
  prepend: "Then to put in front",
  prependHint: "+49 for instance.",
  skip: "Ask the next rule if nobody is there",
  skipHint: "Else the call is refused as not found.",
  enabled: "In use",
  note: "Note",
});

/** @type {readonly (readonly ["in" | "out", string])[]} */
export const DIRECTIONS = Object.freeze([["in", "In, by SIP"], ["out", "Out of a browser"]]);
/** Marks of the list. */
export const DIRECTION_TAGS = Object.freeze({ in: "In", out: "Out" });

/** Of calls in; calls out are made by browsers. @type {readonly (readonly [string, string])[]} */
export const SOURCES = Object.freeze([["any", "Anybody"], ["account", "Telephones with an account"], ["trunk", "Callers from a trunk"], ["unknown", "Strangers"]]);

/** @type {Readonly<Record<"in" | "out", readonly (readonly [string, string])[]>>} */
export const ACTIONS = Object.freeze({
  in: [
    ["room", "They come into a room"],
    ["user", "Somebody of this house rings"],
    ["menu", "A menu asks for the room's number"],
    ["trunk", "A trunk puts them through"],
    ["address", "That SIP address is called"],
    ["reject", "They are refused"],
  ],
  out: [
    ["address", "That SIP address is called"],
    ["trunk", "A trunk puts them through"],
    ["user", "Somebody of this house rings"],
    ["reject", "They are refused"],
  ],
});

/** What a field wants, said when it has something else. @type {Readonly<Record<string, string>>} */
export const RULE_FAULTS = Object.freeze({
  position: "A whole number from 0 to 1,000,000.",
  pattern: "At most 64 characters.",
  domain: "The name of a host, or *. and the end of one.",
  source_name: "Its name, of at most 64 characters.",
  target: "A name or number; in curly brackets {user} and {number} alone.",
  strip: "A whole number from 0 to 64.",
  prepend: "At most 32 digits, letters, + * and #.",
  status: "A number from 300 to 699.",
  note: "At most 256 characters.",
});

export const RULE_NEEDED = Object.freeze({ pattern: "Type what is dialled: a point stands for everything." });
/** @type {Readonly<Record<string, string>>} */
export const TARGET_NEEDED = Object.freeze({ room: "Type a room's id or number.", user: "Type a name.", trunk: "Type the name of a trunk." });

/** A rule in plain words: who, what is dialled, what happens. */
export const WORDS = Object.freeze({
  callers: Object.freeze({ any: "Anybody", trunk: "A caller from a trunk", account: "A telephone with an account", browser: "Somebody in a browser", unknown: "A stranger" }),
  trunk: (/** @type {string} */ name) => `A caller from the trunk ${name}`,
  account: (/** @type {string} */ name) => `The telephone of ${name}`,
  dials: (/** @type {string} */ who, /** @type {string} */ what) => `${who} dials ${what}`,
  everything: "anything",
  begins: (/** @type {string} */ start) => `what begins with ${start}`,
  digits: (/** @type {string} */ text) => `${text} (X: a digit)`,
  at: (/** @type {string} */ what, /** @type {string} */ host) => `${what} at ${host}`,
  below: (/** @type {string} */ end) => `hosts of ${end}`,
  rooms: "and comes into the room of that name or number.",
  room: (/** @type {string} */ target) => `and comes into the room ${target}.`,
  users: "and rings whoever has that name here.",
  user: (/** @type {string} */ target) => `and rings ${target}.`,
  menu: "and hears the menu, which asks for a room's number.",
  trunks: (/** @type {string[]} */ names) => (names.length > 1 ? `and is put through by one of the trunks ${names.join(", ")}.` : `and is put through by the trunk ${names[0]}.`),
  address: "and is connected with that SIP address.",
  reject: (/** @type {number} */ status) => `and is refused (${status}).`,
  position: (/** @type {number} */ position) => `Position ${position}`,
  stripped: (/** @type {number} */ count) => (count === 1 ? "without the first character" : `without the first ${count} characters`),
  prefixed: (/** @type {string} */ text) => `with ${text} in front`,
  skips: "else the next rule",
});

export const NUMBERS = Object.freeze({
  title: "Room numbers",
  lead: "Who dials one, or keys it in the menu, comes into its room. A room has one at most.",
  none: "No number leads into a room.",
  pinned: "PIN",
  create: "New number",
  make: "Give the number",
  made: (/** @type {string} */ number, /** @type {string} */ room) => `${number} leads into ${room} now.`,
  room: "Room",
  roomHint: "Its name or id.",
  number: "Number",
  numberHint: "Empty: nine digits that nobody guesses.",
  pin: "PIN",
  pinHint: "4 to 16 digits, keyed by whoever calls. The room's own PIN opens it as well.",
  remove: "Delete",
  removeTitle: (/** @type {string} */ number) => `Delete the number ${number}?`,
  removeDetail: (/** @type {string} */ room) => `Telephones come into ${room} by it no more.`,
  removed: "The number is deleted.",
});

/** What a field wants, said when it has something else. @type {Readonly<Record<string, string>>} */
export const NUMBER_FAULTS = Object.freeze({ number: "1 to 20 digits.", pin: "4 to 16 digits." });
export const NUMBER_NEEDED = Object.freeze({ room: "Type the name or id of a room." });

export const TELEPHONY = Object.freeze({
  trunks: "Trunks",
  trunksNone: "No trunk to the telephone network is set up.",
  accounts: "SIP accounts",
  accountsNone: "No telephone has an account here.",
  disabled: "disabled",
  how: "Trunks and SIP accounts are shown as they are set up; they are made and changed by the API, under /api/v1/sip.",
  api: "Description of the API",
});
