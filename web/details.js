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
    ["Path", path(stats)],
    ["Limited by", limitedBy(stats)],
  ];
}

const FACTORS = {
  network: "Your connection",
  device: "This device",
  camera: "The camera: more light helps",
  server: "The server: many guests",
};

/** @param {Stats} stats */
function limitedBy({ quality, factor }) {
  if (quality === null) return UNKNOWN;
  return factor ? FACTORS[factor] : "Nothing";
}

/** @param {Stats} stats */
function path({ transport, detail }) {
  if (transport === null) return UNKNOWN;
  if (transport === "websocket") return "WebSocket, picture by picture";
  return detail.relayed === undefined ? "WebRTC" : detail.relayed ? "WebRTC, through a relay" : "WebRTC, direct";
}

/** @param {Stats} stats */
function sentAs({ transport, detail }) {
  if (transport === null) return UNKNOWN;
  const format = String(detail.codec ?? detail.format ?? "").replace(/^(video|image)\//, "");
  return format.toUpperCase() || UNKNOWN;
}

/** @param {number | null} ms */
function milliseconds(ms) {
  return ms === null ? UNKNOWN : `${Math.round(ms)} ms`;
}
