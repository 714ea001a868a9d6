/** What the pages of accounts say: signing in, setting up, the own account; and the words of all forms and lists. */

export const FIELD_WORDS = Object.freeze({
  show: "Show",
  hide: "Hide",
  optional: "(optional)",
  refused: "That did not work",
  /** @type {Readonly<Record<import("../pages/kit/strength.js").Grade, string>>} */
  strengths: Object.freeze({
    short: "Too short so far",
    weak: "Easy to guess: make it longer or less regular",
    fair: "Fair: a few more characters make it strong",
    good: "Strong",
  }),
});

export const LOAD_WORDS = Object.freeze({
  failed: "This could not be loaded",
  notDone: "That did not work",
  retry: "Try again",
  loading: "Loading…",
  more: "Show more",
  close: "Close",
  cancel: "Cancel",
});

export const COPY_WORDS = Object.freeze({ copy: "Copy", done: "Copied", said: (/** @type {string} */ what) => `${what} copied` });

export const passwordHint = (/** @type {number} */ shortest) => `At least ${shortest} characters. Four or five words are easy to keep in mind and hard to guess.`;
const LOGIN_HINT = "What you will sign in with: a short name, or your mail address.";

export const LABELS = Object.freeze({
  login: "User name or mail address",
  newLogin: "User name",
  loginHint: LOGIN_HINT,
  displayName: "Your name",
  displayNameHint: "As others see you in meetings.",
  mail: "Mail address",
  password: "Password",
  newPassword: "New password",
  currentPassword: "Current password",
});

export const NEEDED = Object.freeze({
  login: "Type your user name.",
  password: "Type your password.",
  display_name: "Type your name.",
  current: "Type your current password.",
  new: "Type a new password.",
});

export const SIGN_IN = Object.freeze({
  title: "Sign in",
  lead: "Your rooms, invitations and records are waiting.",
  action: "Sign in",
  forgot: "Forgotten your password?",
  noAccount: "No account yet?",
  signUp: "Make one",
  needless: "You need no account to join a meeting: its link is enough.",
});

export const SIGN_UP = Object.freeze({
  title: "Make an account",
  lead: "Rooms of your own with a lasting link, PINs, a lobby and records of your meetings.",
  action: "Make the account",
  have: "Have an account already?",
  closed: "Accounts are made by the administrators here",
  closedDetail: "Ask one of them for yours. To join a meeting its link is enough.",
});

export const SET_UP = Object.freeze({
  title: "Welcome to confero",
  lead: "Make the first administrator. They look after accounts, rooms, media servers and telephony.",
  action: "Make the administrator",
  done: "Welcome! This installation is ready: make your first room here.",
  noSecret: "This page is opened by a link",
  noSecretDetail: "confero prints the link each time it starts, and writes it to its log. Open it as it is: it ends in a secret.",
});

export const FORGOT = Object.freeze({
  title: "Reset your password",
  lead: "We send a link to the mail address of your account. It is good for one use.",
  action: "Send the link",
  sent: "Look into your mail",
  sentDetail: "If there is such an account and it has a mail address, a link is on its way. It may take some minutes; look among the spam too.",
  noMail: "No mail is sent here",
  noMailDetail: "Ask an administrator: they can make a link for you that sets a new password.",
  back: "Back to signing in",
});

export const RESET = Object.freeze({
  title: "Set a new password",
  lead: "All devices that are signed in to your account are signed out.",
  action: "Set the password",
  done: "Your password is set. Sign in with it.",
  noSecret: "This page is opened by a link",
  noSecretDetail: "Open the link from the mail, or from your administrator, as it is: it ends in a secret.",
});

export const MENU = Object.freeze({
  signIn: "Sign in",
  rooms: "Rooms",
  records: "Records",
  admin: "Administration",
  me: "Your account",
  signOut: "Sign out",
  signedOut: "You are signed out.",
  account: (/** @type {string} */ name) => `Account of ${name}`,
  pages: "Pages",
});

export const ME = Object.freeze({
  title: "Your account",
  profile: "About you",
  profileSave: "Save",
  saved: "Saved.",
  mailPassword: "Changing the mail address wants your password.",
  password: "Password",
  passwordLead: "Every other device is signed out when you change it.",
  passwordSave: "Change the password",
  passwordDone: "Your password is changed. Other devices are signed out.",
  devices: "Where you are signed in",
  devicesLead: "Sign out what you do not know, then change your password.",
  thisDevice: "This device",
  lastUsed: (/** @type {string} */ ago, /** @type {string} */ source) => `Last used ${ago} from ${source}`,
  signOutDevice: "Sign out",
  everywhere: "Sign out everywhere else",
  everywhereDone: "All other devices are signed out.",
  keys: "API keys",
  keysLead: "For programs that act in your name. A key never may more than you.",
  keyNew: "Make a key",
  keyName: "What is it for?",
  keyScopes: "What it may do",
  keyExpires: "Ends",
  keyMade: "Your new key",
  keyOnce: "Copy it now: it is shown this once only.",
  keyDone: "I have it",
  keysApi: "What programs can do",
  keysNone: "No keys",
  keysNoneDetail: "Make one when a program is to use the API for you.",
  keyEnd: "Take back",
  keyEndTitle: (/** @type {string} */ name) => `Take back “${name}”?`,
  keyEndDetail: "Programs that use it are refused at once. This can't be undone.",
  keyUnused: "never used",
  keyUsed: (/** @type {string} */ ago) => `used ${ago}`,
  keyEnds: (/** @type {string} */ when) => `ends ${when}`,
  keyNoEnd: "does not end",
  end: "End your account",
  endLead: "Your rooms, their invitations and your keys go with it. This can't be undone.",
  endAction: "End my account",
  endTitle: "End your account for good?",
  endDone: "Your account has been ended.",
});

/** @type {readonly (readonly [import("../wire.js").KeyCreate["scopes"][number], string])[]} */
export const SCOPES = Object.freeze([
  ["rooms:read", "See rooms and join them"],
  ["rooms:write", "Make, change and delete rooms"],
  ["meetings:moderate", "Moderate meetings"],
  ["records:read", "Read records of meetings"],
  ["admin", "Administer (for administrators)"],
]);

/** How long a new key is good, in days. @type {readonly (readonly [string, string])[]} */
export const KEY_DAYS = Object.freeze([["30", "in 30 days"], ["90", "in 90 days"], ["365", "in a year"], ["", "never"]]);

export const HOME = Object.freeze({
  lead: "Talk with people in browsers and on phones. No account and nothing to install: open a room and send the link.",
  known: "Go on in one of your rooms, or open a new one and send the link.",
  rooms: "Your rooms",
  all: "All your rooms",
  here: (/** @type {number} */ count) => (count === 1 ? "1 inside" : `${count} inside`),
  setUp: "Nobody administers this installation yet. Open the link that confero printed when it started; it ends in /setup and a secret.",
});
