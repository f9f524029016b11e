/** What the details sheet says of the connection, from the session's numbers. Pure. */

import { say } from "./strings.js";

/** @typedef {ReturnType<import("./session.js").TryOnSession["stats"]>} Stats */
/** @typedef {{ width: number, height: number } | null} Size */
/** @typedef {[name: string, value: string]} Row */

/** @type {import("./style-options.js").Option[]} */
export const QUALITIES = [
  { value: "auto", label: "details.auto" },
  { value: "saver", label: "details.saver" },
  { value: "high", label: "details.high" },
];

/** What is not known yet. */
const UNKNOWN = "–";

/**
 * @param {Stats} stats @param {number | null} latencyMs from the camera to the screen @param {Size} size
 * @returns {Row[]}
 */
export function rows(stats, latencyMs, size) {
  const { rttMs, fps, detail } = stats;
  return [
    [say("details.latency"), milliseconds(latencyMs ?? /** @type {number | null} */ (detail.roundTripMs ?? null))],
    [say("details.rtt"), milliseconds(rttMs)],
    [say("details.fps"), fps === null ? UNKNOWN : String(Math.round(fps))],
    [say("details.size"), size ? `${size.width} × ${size.height}` : UNKNOWN],
    [say("details.sent_as"), sentAs(stats)],
    [say("details.path"), path(stats)],
    [say("details.held_back"), limitedBy(stats)],
  ];
}

/** @param {Stats} stats */
function limitedBy({ quality, factor }) {
  if (quality === null) return UNKNOWN;
  return say(factor ? `details.${factor}` : "details.nothing");
}

/** @param {Stats} stats */
function path({ transport, detail }) {
  if (transport === null) return UNKNOWN;
  if (transport === "websocket") return say("details.path_websocket");
  if (detail.relayed === undefined) return "WebRTC";
  return say(detail.relayed ? "details.path_relay" : "details.path_direct");
}

/** @param {Stats} stats */
function sentAs({ transport, detail }) {
  if (transport === null) return UNKNOWN;
  const format = String(detail.codec ?? detail.format ?? "").replace(/^(video|image)\//, "");
  return format.toUpperCase() || UNKNOWN;
}

/** @param {number | null} ms */
function milliseconds(ms) {
  return ms === null ? UNKNOWN : say("details.ms", { count: Math.round(ms) });
}
