/**
 * What the numbers of a connection mean in one word, and what keeps it from being better. Pure.
 *
 * Each possible cause gets a level of its own from the numbers that are its own; the worst one is the connection's, and
 * that cause is the limiting factor. Few pictures coming back are blamed on the first one who has few: the camera, then
 * this device's encoder, then the server where it says that it skips frames, and else the network.
 */

/** @typedef {"excellent" | "good" | "poor" | "lost"} Level */
/** @typedef {"camera" | "device" | "network" | "server"} Factor */

/**
 * Once a second. What is not known is null or absent, and does not count.
 * @typedef {object} Sample
 * @property {number | null} [rttMs] of a message
 * @property {number | null} [loss] 0–1, the worse direction
 * @property {number | null} [jitterMs] between packets
 * @property {number | null} [fps] of the pictures that come back
 * @property {number | null} [cameraFps]
 * @property {number | null} [sentFps]
 * @property {"bandwidth" | "cpu" | null} [limit] why the browser's encoder holds back, as it says itself
 * @property {number | null} [processingMs] of one picture in the server
 * @property {number | null} [overtaken] share of pictures that the server skipped for newer ones, 0–1
 * @property {number | null} [retreat] 0–3: what the server gives up as its cores are short
 */

/**
 * @typedef {object} Quality
 * @property {Level | null} level
 * @property {Factor | null} factor what limits it; null where nothing does
 * @property {Level | null} candidate
 * @property {number} streak samples in a row that point the candidate's way
 * @property {number} blamed samples in a row of this level with another factor
 */

/** @typedef {{ level: Level, factor: Factor | null }} Verdict */

/** @type {Level[]} best first */
export const LEVELS = ["excellent", "good", "poor", "lost"];

/** @type {[number, number, number]} The worst values that are excellent, good, poor; beyond the last one it is lost. */
const RTT_MS = [120, 220, Infinity];
const LOSS = [0.01, 0.03, 0.5];
const JITTER_MS = [30, 60, Infinity];
const PROCESSING_MS = [60, 120, Infinity];
const OVERTAKEN = [0.1, 0.34, Infinity];
const RETREAT = [1, 2, Infinity];
/** And the fewest pictures a second. */
const FPS = [22, 15, 1];

/** Pictures a second that two counters may differ by, for all that. */
const ABOUT = 3;

/** Samples in a row that must agree before the word changes: bad news travels faster than good news. */
const PATIENCE = { worse: 2, better: 4, factor: 3 };

/** @type {Quality} */
export const UNKNOWN = { level: null, factor: null, candidate: null, streak: 0, blamed: 0 };

/** In the order in which one of several equally bad ones is named. @type {Factor[]} */
const FACTORS = ["camera", "device", "network", "server"];

/** @param {number | null | undefined} value @param {number[]} bounds */
function above(value, bounds) {
  const fits = bounds.findIndex((bound) => (value ?? 0) <= bound);
  return fits < 0 ? bounds.length : fits;
}

/** @param {number | null | undefined} fps */
function slow(fps) {
  const fits = FPS.findIndex((bound) => (fps ?? Infinity) >= bound);
  return fits < 0 ? FPS.length : fits;
}

/**
 * What one sample deserves by itself.
 * @param {Sample} sample
 * @returns {Verdict}
 */
export function judge(sample) {
  /** @type {Record<Factor, number>} */
  const bad = {
    camera: slow(sample.cameraFps),
    device: 0,
    network: Math.max(above(sample.rttMs, RTT_MS), above(sample.loss, LOSS), above(sample.jitterMs, JITTER_MS)),
    server: Math.max(
      above(sample.processingMs, PROCESSING_MS),
      above(sample.overtaken, OVERTAKEN),
      above(sample.retreat, RETREAT),
    ),
  };
  const blamed = blame(sample, bad);
  bad[blamed] = Math.max(bad[blamed], slow(sample.fps));
  const worst = Math.max(...Object.values(bad));
  const factor = worst === 0 ? null : (FACTORS.find((name) => bad[name] === worst) ?? null);
  return { level: LEVELS[worst], factor };
}

/**
 * Whom few pictures are blamed on.
 * @param {Sample} sample
 * @param {Record<Factor, number>} bad
 * @returns {Factor}
 */
function blame({ fps, cameraFps, sentFps, limit }, bad) {
  const few = fps ?? Infinity;
  if (slow(cameraFps) > 0 && (cameraFps ?? Infinity) <= few + ABOUT) return "camera";
  const sentFew = (sentFps ?? Infinity) <= few + ABOUT;
  if (sentFew && limit === "cpu") return "device";
  if (sentFew && limit === "bandwidth") return "network";
  return bad.server > 0 && bad.server >= bad.network ? "server" : "network";
}

/**
 * The quality after one more sample. The word stays until several samples in a row say otherwise.
 * @param {Quality} quality
 * @param {Sample} sample
 * @returns {Quality}
 */
export function next(quality, sample) {
  const seen = judge(sample);
  if (quality.level === null) return settled(seen);
  if (seen.level === quality.level) return named(quality, seen);
  const worse = place(seen.level) > place(quality.level);
  const before = quality.candidate && place(quality.candidate) > place(quality.level);
  const streak = quality.candidate !== null && before === worse ? quality.streak + 1 : 1;
  // While samples disagree on how far to move, move to the nearest one seen: never jump on a single outlier.
  const candidate = streak === 1 ? seen.level : nearest(quality.level, /** @type {Level} */ (quality.candidate), seen.level);
  if (streak < (worse ? PATIENCE.worse : PATIENCE.better)) return { ...quality, candidate, streak };
  return settled({ level: candidate, factor: candidate === LEVELS[0] ? null : (seen.factor ?? quality.factor) });
}

/** @param {Verdict} verdict @returns {Quality} */
function settled({ level, factor }) {
  return { ...UNKNOWN, level, factor };
}

/** The same level again, perhaps for another reason. @param {Quality} quality @param {Verdict} seen @returns {Quality} */
function named(quality, seen) {
  const blamed = seen.factor === quality.factor ? 0 : quality.blamed + 1;
  if (blamed >= PATIENCE.factor) return settled(seen);
  return { ...quality, candidate: null, streak: 0, blamed };
}

/** @param {Level} level */
function place(level) {
  return LEVELS.indexOf(level);
}

/** @param {Level} from @param {Level} a @param {Level} b @returns {Level} */
function nearest(from, a, b) {
  const distance = (/** @type {Level} */ level) => Math.abs(place(level) - place(from));
  return distance(a) <= distance(b) ? a : b;
}

/**
 * One second's sample of all that is known.
 * @param {import("./transport-webrtc.js").TransportStats} stats
 * @param {number | null} rttMs
 * @param {Pick<Sample, "processingMs" | "overtaken" | "retreat">} server
 * @returns {Sample}
 */
export function sampleOf({ fps, loss, cameraFps, sentFps, jitterMs, limit }, rttMs, server) {
  return { fps, loss, cameraFps, sentFps, jitterMs, limit, rttMs, ...server };
}

/** Reasons for which a busy server leaves frames out (`stats.frames_dropped`). */
const SKIPPED = ["superseded", "backpressure", "retreat"];

/**
 * Share of the frames between two `stats` messages that the server left out as it was busy.
 * @param {import("./messages.js").Text | null} before
 * @param {import("./messages.js").Text} after
 */
export function overtaken(before, after) {
  const skipped = (/** @type {any} */ stats) =>
    SKIPPED.reduce((sum, reason) => sum + Number(stats?.frames_dropped?.[reason] ?? 0), 0);
  const came = Number(after.frames_in ?? 0) - Number(before?.frames_in ?? 0);
  if (before === null || came <= 0) return 0; // the first one tells of times before, another worker counts anew
  return Math.min(1, Math.max(0, skipped(after) - skipped(before)) / came);
}
