/** A sentence for every problem that the pages of accounts, rooms and records can meet, by its code. */

/** @type {Readonly<Record<string, string>>} */
export const PROBLEMS = Object.freeze({
  // the way to the server
  unreachable: "The server can't be reached. Check your network connection, then try again.",
  timeout: "The server did not answer in time. Try again in a moment.",
  unavailable: "Something that this needs is being restarted. Try again in a moment.",
  "database-down": "The database can't be reached. Nothing is lost; try again in a moment.",
  "database-unsure": "The database was lost while this was being saved. See whether it was before you try again.",
  "notifier-down": "The notification server can't be reached. Try again in a moment.",
  "no-media-server": "No media server is ready. Try again in a moment.",
  internal: "The server made a mistake. It has been noted; try again in a moment.",
  "bad-host": "This address is not one that the server is known by.",
  "bad-request": "The server could not read what was sent. Reload the page, then try again.",
  "invalid-body": "Something that was entered is not valid.",
  "invalid-query": "What is looked for is not valid.",
  "not-json": "The server could not read what was sent. Reload the page, then try again.",
  "content-type": "The server could not read what was sent. Reload the page, then try again.",
  "too-slow": "What you sent took too long to arrive. Check your network connection, then try again.",
  "body-too-large": "That is more than the server takes at once.",
  "query-not-allowed": "The server could not read what was sent. Reload the page, then try again.",
  "request-in-progress": "That is being done already. Wait a moment.",
  "idempotency-key-used": "The server could not read what was sent. Reload the page, then try again.",
  "idempotency-key-invalid": "The server could not read what was sent. Reload the page, then try again.",
  "idempotency-key-unproven": "Sign in to do this.",
  "page-invalid": "This list has changed since. Load it anew.",
  "too-many-requests": "Too many tries in a short time. Wait a moment, then try again.",
  "too-many-tries": "Too many tries in a short time. Wait some minutes, then try again.",
  // who asks
  "sign-in-needed": "Sign in to do this.",
  "not-allowed": "Your account may not do this.",
  "scope-missing": "Your account may not do this.",
  csrf: "This page is older than your session. Reload it, then try again.",
  "cross-site": "This can be done from this site's own pages only.",
  "origin-refused": "This can be done from this site's own pages only.",
  "token-invalid": "Your session has ended. Sign in again.",
  "token-expired": "Your session has ended. Sign in again.",
  // accounts
  "sign-in-refused": "That name and password do not fit together.",
  "login-taken": "Somebody has this name already. Choose another one.",
  "sign-up-closed": "Accounts are made by the administrators here. Ask one of them.",
  "too-many-accounts": "No further account can be made here. Tell the administrators.",
  "password-wrong": "That is not your password.",
  "password-short": "That password is too short.",
  "password-long": "That password is too long: 1,024 characters are the most.",
  "password-weak": "That password is too easy to guess. Choose another one.",
  "link-used": "This link is not valid any more: it works once, and for a limited time. Ask for another one.",
  "user-unknown": "There is no such account.",
  "last-admin": "One administrator must stay: make somebody else one first.",
  "key-unknown": "There is no such key any more.",
  "session-unknown": "That device is signed out already.",
  "too-many-keys": "You have as many keys as one account may have. Take one back first.",
  "expiry-past": "That time has passed already.",
  expired: "That time has passed already.",
  // rooms
  "room-unknown": "There is no such room any more.",
  "room-kept": "This room is always there and can't be deleted.",
  "too-many-rooms": "The server holds as many rooms as it can. Try again later.",
  "too-many-own-rooms": "You have as many rooms as one account may have. Delete one first.",
  "number-exists": "Another room has this number. Choose another one, or let one be chosen.",
  "too-many-numbers": "No number is free. Choose one yourself.",
  "member-unknown": "There is no such member any more.",
  "too-many-members": "The room has as many members as it may have.",
  "invitation-unknown": "There is no such invitation any more.",
  "too-many-invitations": "The room has as many invitations as it may have. Take one back first.",
  // records and the farm
  "meeting-unknown": "There is no such record any more.",
  "meeting-goes-on": "The meeting still goes on. Delete its record when it is over.",
  "not-found": "There is no such thing here.",
  // telephony
  "rule-unknown": "There is no such rule any more.",
  "rule-exists": "There is such a rule already.",
  "too-many-rules": "There are as many rules as there may be. Delete one first.",
  "rule-invalid": "No call could go by such a rule.",
  "pattern-invalid": "Digits, letters and signs of addresses; a point at its end alone; \\X and \\. for the characters themselves.",
  "number-unknown": "There is no such number any more.",
  "room-unclear": "More than one room has that in its name. Type its id.",
  "room-numbered": "This room has a number already.",
  "mcu-unknown": "There is no such media server any more.",
  unknown: "Something went wrong. Try again in a moment.",
});

/** @param {string} code of a RequestError @returns {string} a sentence */
export function sentence(code) {
  return PROBLEMS[code] ?? PROBLEMS.unknown ?? "";
}

/** Codes that speak of one field of a form. @type {Readonly<Record<string, readonly string[]>>} code -> names of the field, the first that the form has */
export const FIELD_OF_CODE = Object.freeze({
  "login-taken": ["login"],
  "password-wrong": ["current", "password"],
  "password-short": ["new", "password"],
  "password-long": ["new", "password"],
  "password-weak": ["new", "password"],
  "number-exists": ["number"],
  "too-many-numbers": ["number"],
  "user-unknown": ["user"],
  "pattern-invalid": ["pattern"],
  "room-unknown": ["room"],
  "room-unclear": ["room"],
  "room-numbered": ["room"],
});

/** Codes whose own words say more than a sentence of ours could: what a good password is, the server knows. */
export const IN_ITS_WORDS = Object.freeze(["password-short", "password-weak"]);

/** What a field wants, said when the server has refused its content. @type {Readonly<Record<string, string>>} */
export const FIELDS = Object.freeze({
  login: "A name of 2 to 128 letters, digits and . _ @ + - that begins with a letter or a digit.",
  display_name: "A name of 1 to 64 characters.",
  name: "A name of 1 to 64 characters.",
  mail: "That is no mail address.",
  password: "A password of at most 1,024 characters.",
  new: "A password of at most 1,024 characters.",
  current: "That is not your password.",
  pin: "4 to 12 digits.",
  host_pin: "4 to 12 digits.",
  number: "1 to 16 digits.",
  max_participants: "A number from 2 to 8,000.",
  max_uses: "A number from 1 to 10,000.",
  talkers: "A number from 0 to 64.",
  note: "At most 64 characters.",
  expires_at: "A time that is to come.",
  scopes: "At least one right.",
});
