/** What the numbers of a connection mean in one word. Pure. */

/** @typedef {"excellent" | "good" | "fair" | "poor"} Level */
/** @typedef {{ rttMs?: number | null, fps?: number | null, loss?: number | null }} Sample  Each second; loss 0–1. */
/** @typedef {{ level: Level | null, candidate: Level | null, streak: number }} Quality */

/** @type {Level[]} best first */
export const LEVELS = ["excellent", "good", "fair", "poor"];

/** The worst values that still deserve a level; what misses the last row is poor. */
const BOUNDS = [
  { level: LEVELS[0], rttMs: 120, fps: 22, loss: 0.01 },
  { level: LEVELS[1], rttMs: 220, fps: 15, loss: 0.03 },
  { level: LEVELS[2], rttMs: 400, fps: 8, loss: 0.08 },
];

/** Samples in a row that must agree before the word changes: bad news travels faster than good news. */
const PATIENCE = { worse: 2, better: 4 };

/** @type {Quality} */
export const UNKNOWN = { level: null, candidate: null, streak: 0 };

/**
 * The level that one sample deserves by itself. Numbers that are not known yet do not count.
 * @param {Sample} sample
 * @returns {Level}
 */
export function judge({ rttMs, fps, loss }) {
  const fits = BOUNDS.find(
    (bound) => (rttMs ?? 0) <= bound.rttMs && (fps ?? Infinity) >= bound.fps && (loss ?? 0) <= bound.loss,
  );
  return fits?.level ?? "poor";
}

/**
 * The quality after one more sample. The word stays until several samples in a row say otherwise.
 * @param {Quality} quality
 * @param {Sample} sample
 * @returns {Quality}
 */
export function next(quality, sample) {
  const seen = judge(sample);
  if (quality.level === null) return { level: seen, candidate: null, streak: 0 };
  if (seen === quality.level) return { ...quality, candidate: null, streak: 0 };
  const worse = LEVELS.indexOf(seen) > LEVELS.indexOf(quality.level);
  const before = quality.candidate && LEVELS.indexOf(quality.candidate) > LEVELS.indexOf(quality.level);
  const streak = quality.candidate !== null && before === worse ? quality.streak + 1 : 1;
  // While samples disagree on how far to move, move to the nearest one seen: never jump on a single outlier.
  const candidate = streak === 1 ? seen : nearest(quality.level, /** @type {Level} */ (quality.candidate), seen);
  if (streak < (worse ? PATIENCE.worse : PATIENCE.better)) return { level: quality.level, candidate, streak };
  return { level: candidate, candidate: null, streak: 0 };
}

/** @param {Level} from @param {Level} a @param {Level} b @returns {Level} */
function nearest(from, a, b) {
  const distance = (/** @type {Level} */ level) => Math.abs(LEVELS.indexOf(level) - LEVELS.indexOf(from));
  return distance(a) <= distance(b) ? a : b;
}
