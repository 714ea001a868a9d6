/** What the pages of administration say. */

export const ADMIN = Object.freeze({
  title: "Administration",
  parts: "Parts of the administration",
  refused: "This is for administrators",
  refusedDetail: "Your account may not see this page.",
  overview: "Live",
  users: "Users",
  rooms: "Rooms",
  servers: "Media servers",
  audit: "Audit log",
  telephony: "Telephony",
});

/** What each part is for. @type {Readonly<Record<string, string>>} */
export const ADMIN_LEADS = Object.freeze({
  "": "Meetings that are going on now.",
  users: "Who has an account here, and what they may do.",
  rooms: "The rooms of everybody.",
  servers: "What carries the sound: load, and taking a server out of use without a break.",
  audit: "Who changed what, and who was refused.",
  telephony: "How telephones come in and are called.",
});

export const USERS = Object.freeze({
  search: "Find a user",
  create: "New user",
  make: "Make the account",
  none: "No such user",
  noneDetail: "No name has that in it.",
  role: "Role",
  roleOf: (/** @type {string} */ name) => `Role of ${name}`,
  disabled: "Disabled",
  you: "You",
  seen: (/** @type {string} */ ago) => `signed in ${ago}`,
  never: "never signed in",
  made: (/** @type {string} */ name) => `${name} has an account now.`,
  saved: "Saved.",
  passwordHint: "Left empty, you get a link by which they set it themselves.",
  link: "Link to set a password",
  linkHint: "Send it to them: it works once, and for a limited time. It is shown this once only.",
  reset: "Reset link",
  disable: "Disable",
  enable: "Enable",
  remove: "Delete",
  removeTitle: (/** @type {string} */ name) => `Delete the account of ${name}?`,
  removeDetail: "Their rooms and keys go with it. This can't be undone.",
  removed: "The account is deleted.",
  more: (/** @type {string} */ name) => `More for ${name}`,
  done: "Done",
});

/** @type {readonly (readonly ["user" | "moderator" | "admin", string])[]} */
export const USER_ROLES = Object.freeze([["user", "User"], ["moderator", "Moderator"], ["admin", "Administrator"]]);

export const SERVERS = Object.freeze({
  none: "No media server",
  noneDetail: "Start one: it makes itself known within seconds.",
  used: (/** @type {string} */ used, /** @type {number} */ capacity) => `${used} of ${capacity} units`,
  holds: (/** @type {number} */ rooms, /** @type {number} */ legs) => `${rooms} ${rooms === 1 ? "room" : "rooms"}, ${legs} ${legs === 1 ? "connection" : "connections"}`,
  seen: (/** @type {string} */ seen) => `heard of ${seen} ago`,
  drain: "Drain",
  undrain: "Take into use",
  drained: "No new rooms go there now.",
  undrained: "New rooms go there again.",
  load: (/** @type {string} */ id) => `Load of ${id}`,
});

/** @type {Readonly<Record<string, readonly [string, string]>>} state -> words and tone */
export const SERVER_STATES = Object.freeze({ up: ["Up", "good"], draining: ["Draining", "fair"], lost: ["Lost", "poor"] });

export const LIVE = Object.freeze({
  none: "Nobody is meeting now",
  noneDetail: "Meetings that are going on are shown here.",
  people: (/** @type {number} */ count) => (count === 1 ? "1 person" : `${count} people`),
  waiting: (/** @type {number} */ count) => `${count} in the lobby`,
  owner: (/** @type {string} */ owner) => `owner ${owner}`,
  server: (/** @type {string} */ mcu) => `on ${mcu}`,
  meetings: "Meetings",
  together: "People",
  lobbies: "In lobbies",
  since: (/** @type {string} */ span) => `for ${span}`,
  join: "Join",
  refresh: "Refresh",
});

export const AUDIT = Object.freeze({
  none: "Nothing yet",
  noneDetail: "What people change is noted here.",
  columns: Object.freeze({ at: "When", actor: "Who", action: "Did", target: "To", source: "From" }),
  table: "Audit log",
  nobody: "nobody signed in",
});
