/** What the page of the API says. */

export const API = Object.freeze({
  title: "API",
  lead: "Everything that these pages do, programs can do as well.",
  file: "OpenAPI file",
  find: "Find an operation by a word of its path or text",
  none: "No such operation",
  noneDetail: "No path and no text has this word in it.",
  found: (/** @type {number} */ count) => (count === 1 ? "1 operation" : `${count} operations`),
  begin: "How it works",
  rules: Object.freeze([
    "Bodies are JSON, times are Unix seconds, ids are to be passed on as they came.",
    "A program shows an API key, made on the page of your account: Authorization: Bearer ck_…",
    "In a room, the token of a join is the proof: Authorization: Bearer …",
    "Refusals are problem details (RFC 9457). The end of their type is a code to tell them apart by.",
    "Lists come by pages: what an answer has as next, the next request gives back.",
    "An answer with Retry-After says in how many seconds to try again.",
  ]),
  proofs: "Shown as proof",
  anyOf: "any of these",
  parameters: "Parameters",
  body: "What is sent",
  answers: "What is answered",
  problems: "Refusals",
  example: "Example",
  columns: Object.freeze({ name: "Name", where: "Where", kind: "Kind", text: "What it is" }),
  needed: "needed",
  status: "Status",
  codes: "Codes",
});

/** Of security schemes. @type {Readonly<Record<string, string>>} */
export const PROOFS = Object.freeze({
  "": "nothing",
  participant: "the token of a join",
  session: "the session's cookie",
  "session csrf": "the session's cookie with X-CSRF-Token",
  key: "an API key",
  admin: "the installation's admin token",
});

/** Where a parameter stands. @type {Readonly<Record<string, string>>} */
export const WHERE = Object.freeze({ path: "path", query: "query", header: "header", body: "body" });
