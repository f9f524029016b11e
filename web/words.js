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

/**
 * @param {import("./session.js").State} state
 * @param {import("./quality.js").Level | null} [level]
 */
export function stateWords(state, level = null) {
  return state === "live" && level ? `${STATES.live} · ${level}` : STATES[state];
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
