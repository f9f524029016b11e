/** What the details sheet says of the connection, from the session's numbers. Pure. */

/** @typedef {ReturnType<import("./session.js").TryOnSession["stats"]>} Stats */
/** @typedef {{ width: number, height: number } | null} Size */
/** @typedef {[name: string, value: string]} Row */

/** @type {import("./style-options.js").Option[]} */
export const QUALITIES = [
  { value: "auto", label: "Auto" },
  { value: "saver", label: "Saver" },
  { value: "high", label: "High" },
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
  return [
    ["Camera to screen", milliseconds(latencyMs ?? /** @type {number | null} */ (detail.roundTripMs ?? null))],
    ["To the studio and back", milliseconds(rttMs)],
    ["Pictures a second", fps === null ? UNKNOWN : String(Math.round(fps))],
    ["Picture", size ? `${size.width} × ${size.height}` : UNKNOWN],
    ["Sent as", sentAs(stats)],
    ["Held back by", HOLDS[heldBackBy(stats)]],
  ];
}

const HOLDS = {
  nothing: "Nothing",
  network: "Your connection",
  device: "This device",
  camera: "The camera: more light helps",
  server: "The studio: many guests",
  unknown: UNKNOWN,
};

/**
 * The factor that limits the picture.
 * @param {Stats} stats
 * @returns {keyof typeof HOLDS}
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
  return ms === null ? UNKNOWN : `${Math.round(ms)} ms`;
}
