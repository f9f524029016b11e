/** What two looks at `getStats` say about the time between them. Pure. */

/**
 * Running totals of the video that comes in, and the newest round trip. NaN where a browser does not tell.
 * @typedef {object} Totals
 * @property {number} at ms
 * @property {number} frames decoded
 * @property {number} lost packets; may fall, where one that counted as lost comes after all
 * @property {number} received packets
 * @property {number} heldBack s, of all frames together, in the jitter buffer
 * @property {number} released frames that left the jitter buffer
 * @property {number} roundTrip s
 * @property {number} roundTrips measured so far
 */

/** @typedef {{ loss?: number, delay_ms?: number, round_trip_ms?: number, fps?: number }} Link  As the message `link`. */

/** The server refuses longer ones. */
const LONGEST_MS = 60_000;
const MOST_FPS = 1000;

/**
 * @param {Record<string, any>} entries of `getStats`: `inbound` (inbound-rtp) and `pair` (candidate-pair)
 * @param {number} at ms
 * @returns {Totals | null} null as long as no video comes
 */
export function totals({ inbound, pair }, at) {
  if (!inbound) return null;
  return {
    at,
    frames: inbound.framesDecoded ?? 0,
    lost: inbound.packetsLost ?? 0,
    received: inbound.packetsReceived ?? 0,
    heldBack: inbound.jitterBufferDelay ?? NaN,
    released: inbound.jitterBufferEmittedCount ?? NaN,
    roundTrip: pair?.currentRoundTripTime ?? NaN,
    roundTrips: pair?.responsesReceived ?? NaN,
  };
}

/**
 * How the link was in between; what is unknown is left out.
 * @param {Totals} before @param {Totals} after
 * @returns {Link}
 */
export function between(before, after) {
  const packets = after.lost - before.lost + after.received - before.received;
  const released = after.released - before.released;
  /** @type {Link} */
  const link = {};
  if (packets > 0) link.loss = within(0, (after.lost - before.lost) / packets, 1);
  // A negative count: another stream took the place of the old one.
  if (released > 0) link.delay_ms = within(0, ((after.heldBack - before.heldBack) * 1000) / released, LONGEST_MS);
  // Browsers measure it every 0.5 to 5 s; an old value would hide a queue.
  const measured = after.roundTrips !== before.roundTrips || Number.isNaN(after.roundTrips);
  if (measured && after.roundTrip >= 0) link.round_trip_ms = within(0, after.roundTrip * 1000, LONGEST_MS);
  const seconds = Math.max(1, after.at - before.at) / 1000;
  link.fps = within(0, (after.frames - before.frames) / seconds, MOST_FPS);
  for (const [name, value] of Object.entries(link)) if (!Number.isFinite(value)) delete (/** @type {any} */ (link)[name]);
  return link;
}

/** @param {number} least @param {number} value @param {number} most */
function within(least, value, most) {
  return Math.min(most, Math.max(least, value));
}
