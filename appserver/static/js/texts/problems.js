/** A sentence for every problem that the pages of accounts, rooms and records can meet, by its code. */

/** @type {Readonly<Record<string, string>>} */
export const PROBLEMS = Object.freeze({
  // the way to the server
  unreachable: "The server can't be reached. Check your network connection, then try again.",
  timeout: "The server did not answer in time. Try again in a moment.",
  unavailable: "Something that this needs is being restarted. Try again in a moment.",
  "database-down": "The database can't be reached. Nothing is lost; try again in a moment.",
  "notifier-down": "The notification server can't be reached. Try again in a moment.",
  internal: "The server made a mistake. It has been noted; try again in a moment.",
  "bad-host": "This address is not one that the server is known by.",
  "bad-request": "The server could not read what was sent.",
  invalid: "Something that was entered is not valid.",
  "too-large": "That is more than the server takes at once.",
  "too-many-requests": "Too many tries in a short time. Wait a moment, then try again.",
  "too-many-tries": "Too many tries in a short time. Wait a moment, then try again.",
  // who asks
  "sign-in-needed": "Sign in to do this.",
  "not-allowed": "Your account may not do this.",
  csrf: "This page is older than your session. Reload it, then try again.",
  "token-invalid": "Your session has ended. Sign in again.",
  "token-expired": "Your session has ended. Sign in again.",
  // accounts
  "sign-in-failed": "That name and password do not fit together.",
  "login-taken": "Somebody has this name already. Choose another one.",
  "mail-taken": "Another account has this mail address.",
  "sign-up-closed": "Accounts are made by the administrators here. Ask one of them.",
  "password-wrong": "That is not your password.",
  "password-weak": "That password is too easy to guess. Choose another one.",
  "link-invalid": "This link is not valid any more. It works once, and for a limited time.",
  "setup-done": "This installation has its administrator already. Sign in instead.",
  "user-unknown": "There is no such account.",
  "last-administrator": "One administrator must stay: make somebody else one first.",
  "key-unknown": "There is no such key any more.",
  "session-unknown": "That device is signed out already.",
  "too-many-keys": "You have as many keys as one account may have. Take one back first.",
  // rooms
  "room-unknown": "There is no such room any more.",
  "too-many-rooms": "No further room can be made: delete one that nobody needs.",
  "number-taken": "Another room has this number. Choose another one, or let one be chosen.",
  "number-invalid": "That can't be the number of a room.",
  "no-number": "No number is free.",
  "member-unknown": "There is no such member any more.",
  "too-many-members": "The room has as many members as it may have.",
  "invitation-unknown": "There is no such invitation any more.",
  "too-many-invitations": "The room has as many invitations as it may have. Take one back first.",
  // records and the farm
  "meeting-unknown": "There is no such record any more.",
  "not-found": "There is no such thing here.",
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
  "mail-taken": ["mail"],
  "password-wrong": ["current", "password"],
  "password-weak": ["new", "password"],
  "number-taken": ["number"],
  "number-invalid": ["number"],
  "user-unknown": ["user"],
});

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
