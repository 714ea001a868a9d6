/** The token of a join. It is short-lived and calls are not: it is exchanged for another one by joining again as the same person. */

import { joinRoom } from "./api.js";
import { invitationFor } from "./door.js";
import { codeOf } from "./problem.js";

export class Ticket {
  #room;
  #name;
  #token;
  #onJoin;

  /**
   * @param {import("./wire.js").JoinReply} join
   * @param {string} name display name
   * @param {(join: import("./wire.js").JoinReply) => void} onJoin told of each later join
   */
  constructor(join, name, onJoin) {
    this.#room = join.room.id;
    this.#token = join.token;
    this.#name = name;
    this.#onJoin = onJoin;
  }

  /** @param {string} [token] that has run out; by default the one of now @returns {Promise<string>} the new one */
  async renew(token = this.#token) {
    const join = await joinRoom(this.#room, this.#name, token).catch((error) => {
      // A token too old or of an earlier installation names nobody any more: come in as somebody new.
      if (codeOf(error).startsWith("token-")) return joinRoom(this.#room, this.#name, null, { invitation: invitationFor(this.#room) });
      throw error;
    });
    this.#onJoin(join);
    this.#token = join.token;
    return join.token;
  }

  /**
   * Sends what needs a token; one that has run out is exchanged once.
   * @template Result
   * @param {(token: string) => Promise<Result>} send
   * @returns {Promise<Result>}
   */
  async authorized(send) {
    try {
      return await send(this.#token);
    } catch (error) {
      if (codeOf(error) !== "token-expired") throw error;
      return send(await this.renew());
    }
  }
}
