/** The requests that pages make of accounts, rooms, records and the farm, one line each. */

import { once } from "../once.js";
import { request } from "../request.js";

const BASE = "/api/v1";

/** @param {string} path @param {Record<string, string | number | boolean | null | undefined>} query those that say nothing are left out */
function at(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `${BASE}${path}${text ? `?${text}` : ""}`;
}

const one = encodeURIComponent;

/** Made once, however often it has to be asked for. @param {string} path @param {Record<string, unknown>} body @param {unknown} [chosen] @returns {Promise<any>} */
const make = (path, body, chosen) => once.make(path, body, (wish, key) => request("POST", path, wish, key), chosen);

/** Where the description of the API is. */
export const DESCRIPTION = `${BASE}/openapi.json`;
/** @returns {Promise<unknown>} */
export const readDescription = () => request("GET", DESCRIPTION);

// --- accounts -------------------------------------------------------------------------------------------------------------

/** @param {string} login @returns {Promise<void>} */
export const askReset = (login) => request("POST", at("/password-resets", {}), { login });
/** @param {import("../wire.js").ResetUse} wish @returns {Promise<void>} */
export const useReset = (wish) => request("POST", at("/password-resets/use", {}), { ...wish });
/** @param {import("../wire.js").MePatch} wish @returns {Promise<import("../wire.js").UserInfo>} */
export const patchMe = (wish) => request("PATCH", at("/me", {}), { ...wish });
/** @param {string} current @param {string} fresh @returns {Promise<void>} */
export const changePassword = (current, fresh) => request("PUT", at("/me/password", {}), { current, new: fresh });
/** @param {string} password @returns {Promise<void>} */
export const endAccount = (password) => request("POST", at("/me/delete", {}), { password });
/** @returns {Promise<import("../wire.js").DeviceList>} */
export const listDevices = () => request("GET", at("/me/sessions", {}));
/** @param {string} id @returns {Promise<void>} */
export const endDevice = (id) => request("DELETE", at(`/me/sessions/${one(id)}`, {}));
/** Every session but this one. @returns {Promise<void>} */
export const endDevices = () => request("DELETE", at("/me/sessions", {}));
/** @returns {Promise<import("../wire.js").KeyList>} */
export const listKeys = () => request("GET", at("/me/keys", {}));
/** @param {import("../wire.js").KeyCreate} wish @param {unknown} chosen the same for the same wish @returns {Promise<import("../wire.js").KeyMade>} */
export const makeKey = (wish, chosen) => make(at("/me/keys", {}), { ...wish }, chosen);
/** @param {string} id @returns {Promise<void>} */
export const endKey = (id) => request("DELETE", at(`/me/keys/${one(id)}`, {}));

// --- what administrators do -----------------------------------------------------------------------------------------------

/** @param {string} search @param {string | null} page @returns {Promise<import("../wire.js").UserPage>} */
export const listUsers = (search, page) => request("GET", at("/users", { search, page }));
/** @param {import("../wire.js").UserCreate} wish @returns {Promise<import("../wire.js").UserInfo>} */
export const makeUser = (wish) => make(at("/users", {}), { ...wish });
/** @param {string} id @param {import("../wire.js").UserPatch} wish @returns {Promise<import("../wire.js").UserInfo>} */
export const patchUser = (id, wish) => request("PATCH", at(`/users/${one(id)}`, {}), { ...wish });
/** @param {string} id @returns {Promise<void>} */
export const deleteUser = (id) => request("DELETE", at(`/users/${one(id)}`, {}));
/** @param {string} id @returns {Promise<import("../wire.js").ResetLink>} */
export const makeResetLink = (id) => make(at(`/users/${one(id)}/reset-link`, {}), {});
/** @param {string | null} page @returns {Promise<import("../wire.js").AuditPage>} */
export const listAudit = (page) => request("GET", at("/audit", { page }));
/** @returns {Promise<import("../wire.js").McuList>} */
export const listServers = () => request("GET", at("/mcus", {}));
/** @param {string} id @param {boolean} draining @returns {Promise<import("../wire.js").McuInfo>} */
export const drainServer = (id, draining) => request("PATCH", at(`/mcus/${one(id)}`, {}), { draining });
/** @returns {Promise<import("../wire.js").LiveList>} */
export const listLive = () => request("GET", at("/live", {}));
/** @param {string | null} after @returns {Promise<import("../wire.js").DialRulePage>} */
export const listRules = (after) => request("GET", at("/sip/rules", { limit: 200, after }));
/** @param {import("../wire.js").DialRuleCreate} wish @returns {Promise<import("../wire.js").DialRuleInfo>} */
export const makeRule = (wish) => make(at("/sip/rules", {}), { ...wish });
/** @param {number} id @param {import("../wire.js").DialRulePatch} wish @returns {Promise<import("../wire.js").DialRuleInfo>} */
export const patchRule = (id, wish) => request("PATCH", at(`/sip/rules/${id}`, {}), { ...wish });
/** @param {number} id @returns {Promise<void>} */
export const deleteRule = (id) => request("DELETE", at(`/sip/rules/${id}`, {}));
/** @param {string | null} after @returns {Promise<import("../wire.js").SipNumberPage>} */
export const listNumbers = (after) => request("GET", at("/sip/numbers", { after }));
/** @param {import("../wire.js").SipNumberCreate} wish @returns {Promise<import("../wire.js").SipNumberInfo>} */
export const makeNumber = (wish) => make(at("/sip/numbers", {}), { ...wish });
/** @param {string} number @returns {Promise<void>} */
export const deleteNumber = (number) => request("DELETE", at(`/sip/numbers/${one(number)}`, {}));
/** @param {"accounts" | "trunks"} what @param {string | null} after @returns {Promise<{ items: any[], next: string | null }>} */
export const listTelephony = (what, after) => request("GET", at(`/sip/${what}`, { after }));

// --- rooms ----------------------------------------------------------------------------------------------------------------

/** @param {{ search?: string, everyone?: boolean, limit?: number }} query @param {string | null} page @returns {Promise<import("../wire.js").RoomPage>} */
export const listRooms = (query, page) => request("GET", at("/rooms", { ...query, page }));
/** @param {import("../wire.js").RoomCreate} wish @returns {Promise<import("../wire.js").RoomDetail>} */
export const makeRoom = (wish) => make(at("/rooms", {}), { ...wish });
/** @param {string} room @returns {Promise<import("../wire.js").RoomDetail>} */
export const readRoom = (room) => request("GET", at(`/rooms/${one(room)}`, {}));
/** @param {string} room @param {import("../wire.js").RoomPatch} wish @returns {Promise<import("../wire.js").RoomDetail>} */
export const patchRoom = (room, wish) => request("PATCH", at(`/rooms/${one(room)}`, {}), { ...wish });
/** @param {string} room @returns {Promise<void>} */
export const deleteRoom = (room) => request("DELETE", at(`/rooms/${one(room)}`, {}));
/** @param {string} room @returns {Promise<import("../wire.js").DialIn>} */
export const readDialIn = (room) => request("GET", at(`/rooms/${one(room)}/dial-in`, {}));
/** @param {string} room @returns {Promise<import("../wire.js").MemberList>} */
export const listMembers = (room) => request("GET", at(`/rooms/${one(room)}/members`, {}));
/** @param {string} room @param {string} user id or login @param {import("../wire.js").MemberPut["role"]} role @returns {Promise<import("../wire.js").MemberInfo>} */
export const putMember = (room, user, role) => request("PUT", at(`/rooms/${one(room)}/members/${one(user)}`, {}), { role });
/** @param {string} room @param {string} user @returns {Promise<void>} */
export const deleteMember = (room, user) => request("DELETE", at(`/rooms/${one(room)}/members/${one(user)}`, {}));
/** @param {string} room @returns {Promise<import("../wire.js").InvitationList>} */
export const listInvitations = (room) => request("GET", at(`/rooms/${one(room)}/invitations`, {}));
/** @param {string} room @param {import("../wire.js").InvitationCreate} wish @param {unknown} chosen the same for the same wish @returns {Promise<import("../wire.js").InvitationMade>} */
export const makeInvitation = (room, wish, chosen) => make(at(`/rooms/${one(room)}/invitations`, {}), { ...wish }, chosen);
/** @param {string} room @param {string} id @returns {Promise<void>} */
export const endInvitation = (room, id) => request("DELETE", at(`/rooms/${one(room)}/invitations/${one(id)}`, {}));

// --- records --------------------------------------------------------------------------------------------------------------

/** @typedef {{ room?: string, who?: string, after?: number | null, before?: number | null, everyone?: boolean }} RecordQuery */

/** @param {RecordQuery} query @param {string | null} page @returns {Promise<import("../wire.js").MeetingPage>} */
export const listRecords = (query, page) => request("GET", at("/meetings", { ...query, page }));
/** @param {string} id @returns {Promise<import("../wire.js").MeetingDetail>} */
export const readRecord = (id) => request("GET", at(`/meetings/${one(id)}`, {}));
/** @param {string} id @returns {Promise<void>} */
export const deleteRecord = (id) => request("DELETE", at(`/meetings/${one(id)}`, {}));
/** @param {RecordQuery} query @param {"csv" | "json"} format @returns {string} the address of a file to be saved */
export const exportRecords = (query, format) => at(`/meetings.${format}`, { ...query });
