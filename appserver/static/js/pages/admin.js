/** /admin: what goes on, users, rooms, media servers, audit log, telephony; one part at a time. */

import { html } from "../../vendor/preact.js";
import { administers, oversees } from "../account.js";
import { ADMIN, ADMIN_LEADS } from "../texts/admin.js";
import { Audit } from "./admin/audit.js";
import { Live } from "./admin/live.js";
import { AllRooms } from "./admin/rooms.js";
import { Servers } from "./admin/servers.js";
import { Telephony } from "./admin/telephony.js";
import { Users } from "./admin/users.js";
import { CardPage, Frame, Link } from "./kit/frame.js";

/** Path, title, view, and whether it is for administrators only. @type {readonly (readonly [string, string, () => unknown, boolean])[]} */
const PARTS = [
  ["", ADMIN.overview, Live, false],
  ["users", ADMIN.users, Users, true],
  ["rooms", ADMIN.rooms, AllRooms, false],
  ["servers", ADMIN.servers, Servers, false],
  ["audit", ADMIN.audit, Audit, true],
  ["telephony", ADMIN.telephony, Telephony, true],
];

/** @param {import("../router.js").PageProps} props */
export function Page({ id }) {
  const open = PARTS.filter(([, , , guarded]) => administers.value || (oversees.value && !guarded));
  const part = open.find(([name]) => name === id);
  if (!part) return html`<${CardPage} title=${ADMIN.refused} lead=${ADMIN.refusedDetail} />`;
  const [name, title, View] = part;
  const shown = (/** @type {HTMLElement | null} */ nav) => nav?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  return html`<${Frame} title=${title} lead=${ADMIN_LEADS[name]}>
    <nav key=${name} ref=${shown} class="tabs" aria-label=${ADMIN.parts}>${open.map(([path, words]) => html`<${Link} key=${path} to=${path ? `/admin/${path}` : "/admin"} class="tab" current=${path === name}>${words}<//>`)}</nav>
    <${View} key=${name} />
  <//>`;
}
