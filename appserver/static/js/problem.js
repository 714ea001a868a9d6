/** Errors that carry a code of the service's vocabulary (RFC 9457, `urn:confero:problem:<code>`). */

/** A request that was refused, timed out or never left. */
export class RequestError extends Error {
  /**
   * @param {string} code last part of the problem type, or one of ours: `timeout`, `disconnected`, `unreachable`
   * @param {string} detail
   * @param {readonly Fault[]} errors which fields are not valid
   */
  constructor(code, detail, errors = []) {
    super(detail || code);
    this.name = "RequestError";
    this.code = code;
    this.errors = errors;
  }
}

/** @typedef {{ loc: readonly string[], type: string }} Fault  a field of a request, and what kind of wrong it is */

/**
 * @param {unknown} errors of a problem
 * @returns {Fault[]} those that name a field
 */
export function faultsIn(errors) {
  const named = Array.isArray(errors) ? errors.filter((one) => typeof one?.loc === "string") : [];
  return named.map(({ loc, type }) => ({ loc: loc.split("."), type: String(type ?? "") }));
}

/**
 * @param {unknown} type of a problem
 * @returns {string} its code: what follows the last colon
 */
export function problemCode(type) {
  return typeof type === "string" && type.includes(":") ? type.slice(type.lastIndexOf(":") + 1) : "unknown";
}

/**
 * @param {unknown} error
 * @returns {string} the code of a RequestError; `unknown` for anything else
 */
export function codeOf(error) {
  return error instanceof RequestError ? error.code : "unknown";
}
