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
/** Bounds of “good” (quality.js): beyond them, something is in the way. */
const LONG_MS = 220;
const LOSSY = 0.03;
const FLUID = 22;

/**
 * @param {Stats} stats @param {number | null} latencyMs from the camera to the screen @param {Size} size
 * @returns {Row[]}
 */
export function rows(stats, latencyMs, size) {
  const { rttMs, fps, detail } = stats;
  const held = heldBackBy(stats);
  return [
    [say("details.latency"), milliseconds(latencyMs ?? /** @type {number | null} */ (detail.roundTripMs ?? null))],
    [say("details.rtt"), milliseconds(rttMs)],
    [say("details.fps"), fps === null ? UNKNOWN : String(Math.round(fps))],
    [say("details.size"), size ? `${size.width} × ${size.height}` : UNKNOWN],
    [say("details.sent_as"), sentAs(stats)],
    [say("details.held_back"), held === "unknown" ? UNKNOWN : say(`details.${held}`)],
  ];
}

/**
 * The factor that limits the picture.
 * @param {Stats} stats
 * @returns {"nothing" | "network" | "device" | "camera" | "server" | "unknown"}
 */
export function heldBackBy({ rttMs, fps, loss, server, detail }) {
  if (fps === null) return "unknown";
  const outbound = /** @type {Record<string, any>} */ (detail.outbound ?? {});
  if ((loss ?? 0) > LOSSY || (rttMs ?? 0) > LONG_MS) return "network";
  if (fps >= FLUID) return "nothing";
  if (outbound.qualityLimitationReason === "bandwidth") return "network";
  if (outbound.qualityLimitationReason === "cpu") return "device";
  const sent = outbound.framesPerSecond ?? FLUID;
  if (sent < FLUID && sent <= fps + 3) return "camera";
  return server ? "server" : "network";
}

/** @param {Stats} stats */
function sentAs({ transport, detail }) {
  if (transport === null) return UNKNOWN;
  const format = String(detail.codec ?? detail.format ?? "")
    .replace(/^(video|image)\//, "")
    .toUpperCase();
  const way = transport === "webrtc" ? "WebRTC" : "WebSocket";
  return format ? `${format} · ${way}` : way;
}

/** @param {number | null} ms */
function milliseconds(ms) {
  return ms === null ? UNKNOWN : say("details.ms", { count: Math.round(ms) });
}
