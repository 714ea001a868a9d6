/** What the pages of rooms say. */

export const ROOMS = Object.freeze({
  title: "Rooms",
  lead: "Those that you have made, and those that you are a member of.",
  create: "New room",
  search: "Find a room",
  everyone: "Everybody's rooms",
  none: "No rooms yet",
  noneDetail: "A room has a lasting link. Make one for your team, and send the link once.",
  noneFound: "No such room",
  noneFoundDetail: "No name or code has that in it.",
  open: "Join",
  settings: "Settings",
  here: (/** @type {number} */ count) => (count === 1 ? "1 person inside" : `${count} people inside`),
  used: (/** @type {string} */ ago) => `used ${ago}`,
  name: "Name",
  nameHint: "What everybody sees. Left empty, one is made up.",
  make: "Make the room",
});

/** @type {Readonly<Record<string, string>>} what the asking account is in a room */
export const MINE = Object.freeze({ owner: "Owner", host: "Host", guest: "Member" });

/** Marks beside a room's name. */
export const MARKS = Object.freeze({ pin: "PIN", lobby: "Lobby", locked: "Locked", permanent: "Permanent" });

export const ROOM = Object.freeze({
  back: "Rooms",
  join: "Join the meeting",
  link: "Link to the room",
  linkHint: "Whoever has it can ask to come in.",
  linkHintPin: (/** @type {string | null} */ pin) => (pin ? `Whoever has it can ask to come in, with the PIN ${pin}.` : "Whoever has it and the PIN can ask to come in."),
  records: "Records of this room",
  readOnly: "Only its owner can change these.",
  rules: "The room",
  people: "Who comes in, and how",
  save: "Save",
  saved: "Saved.",
  permanent: "Keep the room",
  permanentHint: "Else it is deleted when nobody has used it for long.",
  max: "At most this many people",
  talkers: "Voices at once",
  talkersHint: "The loudest are heard. 0: all of them.",
  announce: "A short sound when somebody comes or goes",
  lobby: "Lobby",
  lobbyHint: "Guests wait until a host lets them in.",
  hostFirst: "Hosts come first",
  hostFirstHint: "Guests wait until a host is there.",
  speak: "Who may speak",
  pin: "PIN for guests",
  pinHint: "4 to 12 digits, typed or keyed on a telephone. Empty: none is asked for.",
  hostPin: "PIN for hosts",
  hostPinHint: "Whoever shows it is a host.",
  number: "Number for telephones",
  numberHint: "Digits to be keyed after dialling in; “auto” chooses a free one. Without a number no telephone comes past a PIN.",
  dialIn: "By telephone",
  dialInNone: "The operator has set no dial-in number up.",
  dialNumbers: "Call",
  dialRoom: "Then key",
  dialPin: "PIN",
  dialUri: "Or by SIP",
  members: "Members",
  membersLead: "They need no PIN, wait in no lobby, and find the room in their list.",
  memberAdd: "Add",
  memberLogin: "User name",
  memberNeeded: "Type somebody's user name.",
  memberRole: "As",
  memberRoleOf: (/** @type {string} */ name) => `Role of ${name}`,
  memberGone: (/** @type {string} */ name) => `${name} is no member any more.`,
  memberAdded: (/** @type {string} */ name) => `${name} is a member now.`,
  memberRemove: "Remove",
  membersNone: "No members yet",
  membersNoneDetail: "Add colleagues who come often.",
  invitations: "Invitations",
  invitationsLead: "Links that let people in without a PIN. Guests still wait where there is a lobby.",
  invite: "New invitation",
  inviteMake: "Make the link",
  inviteMade: "Your invitation link",
  inviteOnce: "Copy it now: it is shown this once only.",
  inviteDone: "Done",
  inviteNote: "What is it for?",
  inviteRole: "Whoever comes by it is",
  inviteExpires: "Ends",
  inviteUses: "How many may use it",
  inviteUsesHint: "Empty: any number.",
  inviteEnd: "Take back",
  inviteEndTitle: "Take the invitation back?",
  inviteEndDetail: "Its link lets nobody in any more. Those who are in the room stay.",
  invitationsNone: "No invitations",
  invitationsNoneDetail: "Make a link for somebody who is to come in without a PIN.",
  inviteUsed: (/** @type {number} */ uses, /** @type {number | null} */ most) => (most ? `used ${uses} of ${most} times` : `used ${uses} times`),
  inviteEnds: (/** @type {string} */ when) => `ends ${when}`,
  inviteEnded: "Ended",
  inviteRevoked: "Taken back",
  inviteBy: (/** @type {string} */ login, /** @type {string} */ ago) => `by ${login} ${ago}`,
  remove: "Delete the room",
  removeLead: "Its link, number, invitations and members go with it. Records of meetings stay.",
  removeTitle: (/** @type {string} */ name) => `Delete “${name}”?`,
  removeDetail: "Whoever is in it is sent out. This can't be undone.",
  removed: "The room is deleted.",
});

/** @type {readonly (readonly ["guest" | "host", string])[]} */
export const ROLES = Object.freeze([["guest", "Guest"], ["host", "Host"]]);

/** @type {readonly (readonly ["all" | "request", string])[]} */
export const SPEAKS = Object.freeze([["all", "Everybody"], ["request", "Hosts, and whom they let"]]);

/** How long an invitation is good, in days. @type {readonly (readonly [string, string])[]} */
export const INVITE_DAYS = Object.freeze([["1", "in a day"], ["7", "in a week"], ["30", "in 30 days"], ["", "never"]]);
