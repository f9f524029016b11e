/** The state of the connection in words, hints, and names. What went wrong has its own words in errors.js. */

import { say, spoken } from "./strings.js";

/**
 * @param {import("./session.js").State} state
 * @param {import("./quality.js").Level | null} [level]
 * @param {import("./quality.js").Factor | null} [factor] what keeps it from being better
 */
export function stateWords(state, level = null, factor = null) {
  const words = say(`state.${state}`);
  if (state !== "live" || !level) return words;
  const worth = say(`quality.${level}`);
  return `${words} · ${factor ? say("quality.limited", { level: worth, factor: say(`factor.${factor}`) }) : worth}`;
}

/**
 * What helps; empty as long as the picture is good enough.
 * @param {import("./quality.js").Level | null} level @param {import("./quality.js").Factor | null} factor
 */
export function remedyWords(level, factor) {
  return factor && (level === "poor" || level === "lost") ? say(`remedy.${factor}`) : "";
}

/** What helps when no nail is in view. @param {number} hands how many hands are */
export function hintWords(hands) {
  return say(hands > 0 ? "hint.turn" : "hint.hold");
}

/**
 * What a saved photo is called, and when it was saved.
 * @param {Pick<import("./api.js").SavedResult, "design" | "created_at" | "metadata">} result
 */
export function savedWords({ design, created_at: at, metadata }) {
  const name = design?.name ?? say("saved.own");
  const parts = /** @type {const} */ ({ day: "numeric", month: "long", hour: "numeric", minute: "2-digit" });
  const day = new Date(at).toLocaleString(spoken(), parts);
  return { name, title: say(metadata.view === "both" ? "saved.photo_both" : "saved.photo", { name, day }) };
}

/**
 * A file's name: lacquer-classic-red-2026-03-07.jpg
 * @param {string} designName @param {Date} date @param {string} ending
 */
export function captureName(designName, date, ending) {
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0"));
  const slug = slugOf(designName, "-") || "design";
  return ["lacquer", slug, ...day].join("-").concat(".", ending);
}

/** Plain letters and figures: “Ombré & Aura” is `ombre_aura`. @param {string} name @param {"-" | "_"} joint */
export function slugOf(name, joint) {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return (plain.match(/[a-z0-9]+/g) ?? []).join(joint);
}
