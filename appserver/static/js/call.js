/** One call: joins signalling, media, recovery and the store. It ends once, for a reason that a person can read. */

import { effect } from "../vendor/preact.js";
import { eventsUrl } from "./address.js";
import { Driver } from "./driver.js";
import { Gauge } from "./gauge.js";
import * as local from "./local.js";
import { Meeting } from "./meeting.js";
import { Media } from "./media.js";
import { raisedBetween } from "./meetingstate.js";
import { MuteKeeper } from "./mute.js";
import { Notices } from "./notices.js";
import { Phone } from "./phone.js";
import { codeOf } from "./problem.js";
import { LEG_LOST, Recovery } from "./recovery.js";
import { applyEvent, applyRoster } from "./roster.js";
import { Signaling } from "./signaling.js";
import * as store from "./store.js";
import { endingOf, reasonOf } from "./text.js";
import { WOKEN } from "./texts/outage.js";
import { Ticket } from "./ticket.js";
import { onWakeUp } from "./wakeup.js";

/** @typedef {import("./text.js").EndReason} EndReason */

const OFFER_MS = 8000;
const MUTE_MS = 5000;
/** Refusals of a token renewal that may pass: a full room may only be the media server's memory of who was in it. */
const FULL_PATIENCE = 5;

export class Call {
  /** What has happened so far, for window.confero. */
  counts = { offers: 0, restarts: 0, welcomes: 0, resumes: 0, renewals: 0 };
  #onEnd;
  #ended = false;
  #fullRefusals = 0;
  #signaling;
  #media;
  #mute = new MuteKeeper(() => this.#recordedMute());
  #muteDriver;
  #recovery = new Recovery();
  #recoveryDriver;
  #notices = new Notices();
  #noticesDriver;
  #ticket;
  /** What to dial once we are in. */
  #toDial = "";
  /** Telephones that are called into the room, or ring here. */
  phone;
  /** What is said, asked for and ruled in the meeting. */
  meeting;
  #moved;
  #gauge = new Gauge(() => this.#media.stats());
  /** @type {Array<() => void>} */
  #cleanUps = [];

  /**
   * @param {import("./wire.js").JoinReply} join
   * @param {string} name display name
   * @param {(reason: EndReason) => void} onEnd called once
   * @param {(room: string, token: string) => void} onMoved a host has moved us: the call is over, and goes on in another room; instead of `onEnd`
   */
  constructor(join, name, onEnd, onMoved) {
    this.#onEnd = onEnd;
    this.#moved = onMoved;
    this.#ticket = new Ticket(join, name, (again) => this.#joined(again));
    this.phone = new Phone(join.room.id, (send) => this.#ticket.authorized(send));
    this.meeting = new Meeting(join, (send) => this.#ticket.authorized(send));
    store.callsOut.value = join.calls_out;
    store.me.value = join.participant;
    this.#signaling = new Signaling(eventsUrl(join.events_path), join.token, {
      status: (status) => this.#signallingStatus(status),
      welcome: (welcome) => this.#welcomed(welcome),
      event: (event) => this.#happened(event),
      end: (reason) => this.#finish(reason),
      refresh: (token) => this.#ticket.renew(token),
      finalRefusal: (code) => this.#finalRefusal(code),
    });
    this.#media = new Media({
      state: (generation, connection, ice) => this.#recover((now) => this.#recovery.peer(generation, connection, ice, now)),
      remote: (stream) => (store.remote.value = stream),
    });
    this.#media.setIce(join, performance.now());
    this.#recoveryDriver = new Driver(this.#recovery, (action) => this.#perform(action));
    this.#muteDriver = new Driver(this.#mute, (action) => this.#performMute(action));
    this.#noticesDriver = new Driver(this.#notices, (sentence) => store.toast(sentence));
  }

  get id() {
    return this.#signaling.id;
  }

  get leg() {
    return this.#recovery.leg;
  }

  /** The STUN and TURN servers of this call, and which ways it may take. */
  get ice() {
    return this.#media.ice;
  }

  stats() {
    return this.#media.stats();
  }

  /** @param {string} dial somebody whom to call as soon as we are in; "" for nobody */
  start(dial = "") {
    this.#toDial = dial;
    this.#cleanUps.push(effect(() => void this.#useMicrophone(local.stream.value, local.asking.value)));
    const wake = () => this.#signaling.wake();
    addEventListener("online", wake);
    document.addEventListener("visibilitychange", wake);
    this.#cleanUps.push(() => removeEventListener("online", wake), () => document.removeEventListener("visibilitychange", wake));
    this.#cleanUps.push(onWakeUp(() => this.#woken()));
    this.#gauge.start();
    if (store.mustAsk.peek()) store.muted.value = true;
    this.#muteDriver.step((now) => this.#mute.want(store.muted.peek(), now));
    this.#signaling.start();
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    if (this.#ended) return;
    store.muted.value = muted;
    for (const track of local.stream.peek()?.getAudioTracks() ?? []) track.enabled = !muted;
    this.#muteDriver.step((now) => this.#mute.want(muted, now));
  }

  /** The computer has slept: what stood before may be gone, also the microphone. */
  #woken() {
    store.toast(WOKEN, "plain", "connection");
    this.#signaling.wake();
    local.checkMicrophone();
  }

  /** Tries to reconnect at once. */
  wake() {
    this.#signaling.wake();
  }

  leave() {
    this.#finish("left");
  }

  // --- signalling -----------------------------------------------------------------------------------------------------------

  /** @param {import("./session.js").Status} status */
  #signallingStatus(status) {
    // The good-bye of an ended call may still be on its way while the next call stands.
    if (this.#ended) return;
    store.signalling.value = status;
    if (status !== "open") this.#recover(() => this.#recovery.signallingLost());
  }

  /** @param {import("./wire.js").Welcome} welcome */
  #welcomed(welcome) {
    this.counts.welcomes += 1;
    this.counts.resumes += welcome.resumed ? 1 : 0;
    this.#fullRefusals = 0;
    store.me.value = welcome.participant;
    const { view, notices } = applyRoster(store.view.value, welcome.roster);
    // Missed events follow a resumed welcome and tell the changes one by one.
    if (!welcome.resumed) {
      if (store.joinedAt.value) this.#announce(notices);
      store.view.value = view;
    }
    store.joinedAt.value ||= performance.now();
    const own = welcome.roster.find((participant) => participant.id === welcome.participant);
    this.#recover((now) => this.#recovery.welcomed(own?.leg ?? null, now));
    this.#muteDriver.step((now) => this.#mute.check(now));
    this.meeting.welcomed(!welcome.resumed && this.counts.welcomes > 1);
    if (this.#toDial) void this.#dial();
  }

  async #dial() {
    const to = this.#toDial;
    this.#toDial = "";
    const fault = await this.phone.dial(to);
    if (fault) store.toast(fault, "warning");
  }

  /** @param {import("./wire.js").RoomEvent} event */
  #happened(event) {
    this.phone.happened(event);
    const before = store.meeting.peek().state;
    this.meeting.happened(event);
    if (event.type === "meeting" && store.isHost.peek()) this.#announce(this.#raised(before));
    if (event.type === "meeting" && store.mustAsk.peek() && !store.muted.peek()) this.setMuted(true);
    const { view, notices } = applyEvent(store.view.value, event);
    store.view.value = view;
    this.#announce(notices);
    if (event.type === "renegotiate") this.#recover(() => this.#recovery.renegotiate());
    else if (event.type === "closed") this.#sentAway(event.reason);
    else if (event.type === "moved") this.#goTo(event.room, event.token);
    else if (event.type === "left" && event.participant === store.me.value && LEG_LOST.has(event.reason)) {
      this.#recover(() => this.#recovery.legLost());
    } else if (event.type !== "speakers") this.#muteDriver.step((now) => this.#mute.check(now));
  }

  /** @param {string} reason */
  #sentAway(reason) {
    this.#media.part();
    this.#finish(endingOf(reason));
  }

  /** @param {string} room @param {string} token */
  #goTo(room, token) {
    if (this.#ended) return;
    this.#media.part();
    this.#onEnd = () => this.#moved(room, token);
    this.#finish("left");
  }

  /** @param {import("./wire.js").MeetingState} before @returns {import("./roster.js").Notice[]} hands that hosts are told of */
  #raised(before) {
    const people = store.view.peek().people;
    const found = raisedBetween(before, store.meeting.peek().state).flatMap((id) => people.get(id) ?? []);
    return found.map(({ id, display_name }) => ({ kind: "raised", id, name: display_name, reason: "", certain: true }));
  }

  /** @param {readonly import("./roster.js").Notice[]} notices */
  #announce(notices) {
    const others = notices.filter((notice) => notice.id !== store.me.value);
    if (others.length) this.#noticesDriver.step((now) => this.#notices.add(others, now));
  }

  /** Once more, for another token: the TURN servers are those of now. @param {import("./wire.js").JoinReply} join */
  #joined(join) {
    this.counts.renewals += 1;
    this.#media.setIce(join, performance.now());
  }

  /** @param {string} code @returns {EndReason | null} */
  #finalRefusal(code) {
    if (code === "room-full" && ++this.#fullRefusals < FULL_PATIENCE) return null;
    return code === "room-unknown" || code === "room-full" || code.startsWith("token-") ? reasonOf(code) : null;
  }

  // --- media ----------------------------------------------------------------------------------------------------------------

  /** @param {(now: number) => void} change */
  #recover(change) {
    this.#recoveryDriver.step(change);
  }

  /** @param {import("./recovery.js").RecoveryAction} action */
  #perform(action) {
    switch (action.do) {
      case "fresh": return void this.#offer(action.offer, null, () => this.#media.fresh(action.generation));
      case "restart": return void this.#offer(action.offer, action.leg, () => this.#restartIce());
      case "drop": return this.#media.close();
      case "rejoin": return this.#signaling.renew();
      case "phase": return this.#entered(action.phase);
      case "end": return this.#finish(action.reason);
    }
  }

  /**
   * With the TURN servers of now: those of the join may have gone, and their credentials do not last for ever.
   * @returns {Promise<string>} the SDP offer
   */
  async #restartIce() {
    if (this.#media.isIceOld(performance.now())) await this.#ticket.renew().catch(() => {});
    return this.#media.restart();
  }

  /** @param {import("./recovery.js").Phase} phase */
  #entered(phase) {
    if (this.#ended) return;
    store.phase.value = phase;
    if (phase === "connected") store.everHeard.value = true;
    if (phase === "offering") this.#gauge.forget();
  }

  /**
   * @param {number} offer its number
   * @param {string | null} leg
   * @param {() => Promise<string>} make the SDP
   */
  async #offer(offer, leg, make) {
    this.counts[leg ? "restarts" : "offers"] += 1;
    try {
      const sdp = await make();
      const reply = await this.#signaling.request({ type: "offer", sdp, ...(leg ? { leg } : {}) }, OFFER_MS);
      if (offer !== this.#recovery.offer || this.#ended) return;
      await this.#media.accept(String(reply.sdp));
      this.#recover((now) => this.#recovery.answered(offer, String(reply.leg), now));
      // A restart of a connection that still stands changes no state, so nothing else would tell.
      if (this.#media.state === "connected") this.#recover((now) => this.#recovery.peer(this.#recovery.generation, "connected", "connected", now));
      if (!leg) this.#muteDriver.step((now) => this.#mute.legIsNew(now));
    } catch (error) {
      this.#recover((now) => this.#recovery.offerFailed(offer, codeOf(error), now));
    }
  }

  /**
   * @param {MediaStream | null} stream
   * @param {boolean} asking it may still come
   */
  async #useMicrophone(stream, asking) {
    const track = stream?.getAudioTracks()[0] ?? null;
    if (track) track.enabled = !store.muted.peek();
    else if (!asking) this.setMuted(true);
    const wantsOffer = await this.#media.setTrack(track).catch(() => true);
    if (wantsOffer && !this.#ended) this.#recover((now) => this.#recovery.changed(now));
  }

  // --- the rest -------------------------------------------------------------------------------------------------------------

  /** @returns {boolean | null} */
  #recordedMute() {
    if (this.#signaling.status !== "open") return null;
    return store.view.peek().people.get(store.me.peek())?.muted ?? null;
  }

  /** @param {import("./mute.js").MuteAction} action */
  #performMute(action) {
    if (action.do === "send") {
      // A failure is found when wish and record are compared.
      this.#signaling.request({ type: "mute", muted: action.muted }, MUTE_MS).catch(() => {});
    } else {
      this.setMuted(true);
      store.toast("A host muted you", "warning");
    }
  }

  /** @param {EndReason} reason */
  #finish(reason) {
    if (this.#ended) return;
    this.#ended = true;
    this.#gauge.stop();
    for (const cleanUp of this.#cleanUps) cleanUp();
    this.#muteDriver.stop();
    this.#noticesDriver.stop();
    this.phone.stop();
    this.#signaling.leave();
    this.#recover(() => this.#recovery.stop());
    this.#onEnd(reason);
  }
}
