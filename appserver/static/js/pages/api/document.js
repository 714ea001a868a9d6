/** The OpenAPI document as the page shows it: operations by tag, with what they take and give. Pure. */

/** @typedef {any} Json  what a document has at a place */

/**
 * @typedef {{ name: string, where: string, kind: string, needed: boolean, text: string }} Field
 * @typedef {{ status: string, codes: string[] }} Refusal
 * @typedef {object} Operation
 * @property {string} id
 * @property {string} method
 * @property {string} path
 * @property {string} summary
 * @property {string[]} description paragraphs
 * @property {string[]} proofs names of schemes, those needed together in one text
 * @property {Field[]} parameters
 * @property {Field[]} body its fields
 * @property {string} sent example of the body as JSON, or ""
 * @property {string} status of success
 * @property {string} given example of the answer, or ""
 * @property {Refusal[]} refusals
 * @typedef {{ name: string, text: string, operations: Operation[] }} Group
 */

const METHODS = ["get", "post", "put", "patch", "delete"];
const DEEP = 8;

/** @param {Json} document @returns {Group[]} in the order of its tags, without empty ones */
export function groupsOf(document) {
  const all = Object.entries(document.paths).flatMap(([path, found]) =>
    METHODS.filter((method) => found[method]).map((method) => ({ tag: String(found[method].tags?.[0] ?? ""), operation: operationOf(document, method, path, found[method]) })),
  );
  return document.tags
    .map((/** @type {Json} */ tag) => ({ name: tag.name, text: tag.description, operations: all.filter((one) => one.tag === tag.name).map((one) => one.operation) }))
    .filter((/** @type {Group} */ group) => group.operations.length);
}

/** @param {Group[]} groups @param {string} word @returns {Group[]} those operations that have it in path, summary or description */
export function search(groups, word) {
  const wanted = word.toLowerCase();
  const has = (/** @type {Operation} */ one) => `${one.method} ${one.path} ${one.summary} ${one.description.join(" ")}`.toLowerCase().includes(wanted);
  return groups.map((group) => ({ ...group, operations: group.operations.filter(has) })).filter((group) => group.operations.length);
}

/** @param {Json} document @param {string} method @param {string} path @param {Json} operation @returns {Operation} */
function operationOf(document, method, path, operation) {
  const body = operation.requestBody?.content["application/json"];
  const [status, success] = Object.entries(operation.responses).find(([code]) => code < "300") ?? ["", {}];
  const answer = success.content?.["application/json"];
  return {
    id: operation.operationId,
    method: method.toUpperCase(),
    path,
    summary: operation.summary ?? "",
    description: (operation.description ?? "").split("\n\n").filter(Boolean),
    proofs: (operation.security ?? []).map((/** @type {Json} */ way) => Object.keys(way).join(" ")),
    parameters: (operation.parameters ?? []).map((/** @type {Json} */ one) => field(document, one.name, one.in, one.schema, Boolean(one.required), one.description)),
    body: body ? fieldsOf(document, body.schema) : [],
    sent: exampleOf(body),
    status,
    given: exampleOf(answer),
    refusals: Object.entries(operation.responses).filter(([code]) => code >= "400" && code < "600").map(([code, reply]) => ({ status: code, codes: codesOf(document, reply) })),
  };
}

/** @param {Json} content */
function exampleOf(content) {
  return content?.example === undefined ? "" : JSON.stringify(content.example, null, 2);
}

/** @param {Json} document @param {Json} answer @returns {string[]} */
function codesOf(document, answer) {
  const [content] = Object.values(/** @type {Record<string, Json>} */ (resolved(document, answer).content ?? {}));
  return Object.keys(content?.examples ?? {});
}

/** @param {Json} document @param {Json} schema @returns {Field[]} */
function fieldsOf(document, schema) {
  const whole = resolved(document, schema);
  const needed = whole.required ?? [];
  return Object.entries(whole.properties ?? {}).map(([name, of]) => field(document, name, "body", of, needed.includes(name), of.description));
}

/** @param {Json} document @param {string} name @param {string} where @param {Json} schema @param {boolean} needed @param {string} [text] @returns {Field} */
function field(document, name, where, schema, needed, text = "") {
  return { name, where, kind: kindOf(document, schema), needed, text: text.replaceAll("``", "`") };
}

/**
 * What a schema takes, in a few words.
 * @param {Json} document
 * @param {Json} schema
 * @param {number} deep into what it refers to
 * @returns {string}
 */
export function kindOf(document, schema, deep = DEEP) {
  const one = resolved(document, schema);
  if (one.const !== undefined) return JSON.stringify(one.const);
  if (one.enum) return one.enum.map((/** @type {unknown} */ value) => JSON.stringify(value)).join(" | ");
  const several = one.anyOf ?? one.oneOf;
  if (several && deep) return several.map((/** @type {Json} */ part) => kindOf(document, part, deep - 1)).join(" | ");
  if (one.type === "array" && deep) return `[${kindOf(document, one.items ?? {}, deep - 1)}]`;
  return [one.type ?? "any", limits(one)].filter(Boolean).join(" ");
}

/** @param {Json} schema */
function limits(schema) {
  const [low, high] = [schema.minimum ?? schema.minLength, schema.maximum ?? schema.maxLength];
  if (low === undefined && high === undefined) return schema.pattern ?? "";
  return `${low ?? ""}…${high ?? ""}`;
}

/** What is referred to, within the document. @param {Json} document @param {Json} part @returns {Json} */
export function resolved(document, part) {
  const seen = new Set();
  let at = part;
  while (typeof at?.$ref === "string" && at.$ref.startsWith("#/") && !seen.has(at.$ref)) {
    seen.add(at.$ref);
    at = at.$ref.slice(2).split("/").reduce((/** @type {Json} */ found, /** @type {string} */ name) => found?.[name], document);
  }
  return at ?? {};
}
