/**
 * Whether the other side is still there, by what is heard of it. Pure: times in milliseconds come from the caller.
 *
 * Silence alone takes seconds to mean anything: radio links stall. So after a short one the server is *asked* by another
 * way (HTTP), which knows within milliseconds that a media worker died; only where that tells nothing, silence decides.
 */

/** How often to look. */
export const LOOK_MS = 250;
const PING_MS = 1000;

/** No message and no picture at all for this long is a lost connection: aiortc itself notices only after 30 s. */
export const SILENCE_MS = 3000;
/** After another network took over, the old connection mostly is dead. */
const WARY_SILENCE_MS = 1500;
const WARY_MS = 5000;

/** Silence after which to ask: while pictures come, 30 a second, and where only pings are answered, one a second. */
export const DOUBT_MS = 700;
const QUIET_DOUBT_MS = 1500;
const ASK_AGAIN_MS = 1000;

/** A timer that is so late says that we slept, not that the server is silent. Hidden pages look once a second. */
const SLEPT_MS = 2500;

/** @typedef {{ ping: boolean, ask: boolean, lost: boolean, slept: boolean }} Look  What to do now. */

export class Heartbeat {
  #lookedAt;
  #wallAt;
  #heardAt;
  #pingedAt = -Infinity;
  #askedAt = -Infinity;
  #waryUntil = -Infinity;

  /** @param {number} now of a clock that never goes back @param {number} wall of the calendar, which goes on in sleep */
  constructor(now, wall) {
    this.#lookedAt = this.#heardAt = now;
    this.#wallAt = wall;
  }

  /** Something came: a message, or a picture. @param {number} now */
  heard(now) {
    this.#heardAt = now;
  }

  /** The network changed: for some seconds silence means more. @param {number} now */
  beWary(now) {
    this.#waryUntil = now + WARY_MS;
  }

  /**
   * @param {number} now @param {number} wall
   * @param {boolean} quiet whether no pictures are to be expected: paused, or without a camera
   * @returns {Look}
   */
  look(now, wall, quiet) {
    const slept = Math.max(now - this.#lookedAt, wall - this.#wallAt) > SLEPT_MS;
    [this.#lookedAt, this.#wallAt] = [now, wall];
    if (slept) this.#heardAt = now;
    const silence = now - this.#heardAt;
    const lost = silence > (now < this.#waryUntil ? WARY_SILENCE_MS : SILENCE_MS);
    const doubt = slept || silence > (quiet ? QUIET_DOUBT_MS : DOUBT_MS);
    const ask = !lost && doubt && now - this.#askedAt >= ASK_AGAIN_MS;
    if (ask) this.#askedAt = now;
    const ping = !lost && (slept || now - this.#pingedAt >= PING_MS);
    if (ping) this.#pingedAt = now;
    return { ping, ask, lost, slept };
  }
}
