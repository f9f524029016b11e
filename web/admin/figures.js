/** What a session's statistics come to. Pure. */

/** @typedef {import("./client.js").Session} Session */

/** Frames that were left out on purpose are no loss. */
const ON_PURPOSE = ["paused"];

/** Share of camera frames that were dropped, 0–1; null before the first frame. @param {Session} session */
export function dropped({ statistics: { frames_in: all, frames_dropped: byReason } }) {
  if (!all) return null;
  const lost = Object.entries(byReason).reduce((sum, [reason, count]) => sum + (ON_PURPOSE.includes(reason) ? 0 : count), 0);
  return Math.min(1, lost / all);
}

/** From a frame's arrival until it leaves. @param {Session} session */
export function latency({ statistics: { latency_ms: stages } }) {
  return stages.total ?? null;
}

/** Frames a second now: what a session without a connection counted last is of no use. @param {Session} session */
export function fps(session) {
  return isConnected(session) ? session.statistics.fps : null;
}

/** How sure the nails are, 0–1, while there are some. @param {Session} session */
export function confidence(session) {
  return isConnected(session) && session.nails ? session.confidence : null;
}

/** @param {Session} session */
export function isConnected({ worker, connections }) {
  return worker !== null && connections !== 0;
}

/** Colour of a meter: a stream under 12 frames a second stutters, under 20 it is not smooth. @param {number | null} rate */
export function smoothness(rate) {
  if (rate === null) return "none";
  if (rate < 12) return "poor";
  return rate < 20 ? "fair" : "good";
}
