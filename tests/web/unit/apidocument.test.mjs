/** What the page of the API makes of an OpenAPI document. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { groupsOf, kindOf, resolved, search } from "../../../appserver/static/js/pages/api/document.js";

const PROBLEM = "#/components/responses/Problem-404-1";
const DOCUMENT = {
  tags: [{ name: "Rooms", description: "Made." }, { name: "Empty", description: "Nothing here." }],
  paths: {
    "/rooms/{room}": {
      parameters: [],
      delete: { operationId: "delete_room", tags: ["Rooms"], summary: "Delete it", responses: { 204: { description: "" }, 404: { $ref: PROBLEM }, default: { $ref: PROBLEM } } },
      get: {
        operationId: "get_room",
        tags: ["Rooms"],
        summary: "A room",
        description: "First.\n\nFor hosts.",
        security: [{}, { session: [], csrf: [] }],
        parameters: [{ name: "room", in: "path", required: true, description: "Its ``id``.", schema: { type: "string", pattern: "^a$" } }],
        requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/Wish" }, example: { name: "x" } } } },
        responses: { 200: { content: { "application/json": { schema: {}, example: [1] } } }, 404: { $ref: PROBLEM } },
      },
    },
  },
  components: {
    schemas: { Wish: { type: "object", required: ["name"], properties: { name: { type: "string", minLength: 1, maxLength: 9, description: "What people see." }, more: { type: "array", items: { enum: ["a", "b"] } } } }, Loop: { $ref: "#/components/schemas/Loop" } },
    responses: { "Problem-404-1": { content: { "application/problem+json": { examples: { "room-unknown": {}, "not-found": {} } } } } },
  },
};

test("operations stand under their tags, with what they take and give", () => {
  const [group, ...rest] = groupsOf(DOCUMENT);
  assert.equal(rest.length, 0);
  const [get, del] = group?.operations ?? [];
  assert.deepEqual([get?.method, get?.path, get?.status, get?.given, del?.method, del?.status], ["GET", "/rooms/{room}", "200", "[\n  1\n]", "DELETE", "204"]);
  assert.deepEqual(get?.description, ["First.", "For hosts."]);
  assert.deepEqual(get?.proofs, ["", "session csrf"]);
  assert.deepEqual(get?.parameters, [{ name: "room", where: "path", kind: "string ^a$", needed: true, text: "Its `id`." }]);
  assert.deepEqual(get?.body.map((one) => [one.name, one.kind, one.needed]), [["name", "string 1…9", true], ["more", '["a" | "b"]', false]]);
  assert.deepEqual(del?.refusals, [{ status: "404", codes: ["room-unknown", "not-found"] }]);
});

test("a word finds operations", () => {
  const groups = groupsOf(DOCUMENT);
  assert.deepEqual(search(groups, "HOSTS")[0]?.operations.map((one) => one.id), ["get_room"]);
  assert.deepEqual(search(groups, "nowhere"), []);
});

test("what refers to itself or to nothing is nothing", () => {
  assert.deepEqual(resolved(DOCUMENT, { $ref: "#/components/schemas/None" }), {});
  assert.equal(kindOf(DOCUMENT, { $ref: "#/components/schemas/Loop" }), "any");
  assert.equal(kindOf(DOCUMENT, { anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }] }), "integer 1… | null");
});
