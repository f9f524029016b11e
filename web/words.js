/** The state of the connection in words. What went wrong has its own words in errors.js. */

/** @type {Record<import("./session.js").State, string>} */
const STATES = {
  idle: "Ready",
  starting: "Starting…",
  connecting: "Connecting…",
  live: "Live",
  paused: "Paused",
  reconnecting: "Reconnecting…",
  ended: "Ended",
  failed: "Not connected",
};

/** @type {Record<import("./quality.js").Factor, string>} */
const FACTORS = { network: "the network", server: "the server", camera: "the camera", device: "this device" };

/**
 * @param {import("./session.js").State} state
 * @param {import("./quality.js").Level | null} [level]
 * @param {import("./quality.js").Factor | null} [factor] what keeps it from being better
 */
export function stateWords(state, level = null, factor = null) {
  if (state !== "live" || !level) return STATES[state];
  const words = `${STATES.live} · ${level}`;
  return factor ? `${words}, limited by ${FACTORS[factor]}` : words;
}

/** @type {Record<import("./quality.js").Factor, string>} */
const REMEDIES = {
  camera: "More light gives a smoother picture: the camera is slow in the dark",
  network: "Closer to the Wi-Fi, or with the quality on Saver, the picture is smoother",
  server: "Many people try on designs right now: the picture is smoother in a moment",
  device: "This device is busy: closing other apps gives a smoother picture",
};

/**
 * What helps; empty as long as the picture is good enough.
 * @param {import("./quality.js").Level | null} level @param {import("./quality.js").Factor | null} factor
 */
export function remedyWords(level, factor) {
  return factor && (level === "poor" || level === "lost") ? REMEDIES[factor] : "";
}

/** What helps when no nail is in view. @param {number} hands how many hands are */
export function hintWords(hands) {
  return hands > 0 ? "Turn the back of your hand to the camera" : "Hold the back of your hand in view";
}

/** A touched nail of which nobody knows whose it is. */
export const NAMELESS = "Show your whole hand to choose for one finger";

/**
 * What a saved photo is called, and when it was saved.
 * @param {Pick<import("./api.js").SavedResult, "design" | "created_at" | "metadata">} result
 */
export function savedWords({ design, created_at: at, metadata }) {
  const name = design?.name ?? "Nails from a photo";
  const day = new Date(at).toLocaleString("en", { day: "numeric", month: "long", hour: "numeric", minute: "2-digit" });
  const kind = metadata.view === "both" ? ", before and after" : "";
  return { name, title: `${name}${kind} · ${day}` };
}

/**
 * A file's name: lacquer-classic-red-2026-03-07.jpg
 * @param {string} designName @param {Date} date @param {string} ending
 */
export function captureName(designName, date, ending) {
  const slug = designName
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0"));
  return ["lacquer", slug || "design", ...day].join("-").concat(".", ending);
}
