/**
 * Everything that can go wrong, under one code, and what to tell people about it.
 *
 * Codes of the server are those of protocol/errors.py; the page adds its own for the camera and the connection.
 */

import { say } from "./strings.js";

/** @typedef {{ title: string, text: string, action: string | null }} Words  `action` labels the button that helps. */

/** An error that reaches the person in front of the page. */
export class TryOnError extends Error {
  /**
   * @param {string} code
   * @param {string} [message] for developers; people read `wordsFor(code)`
   * @param {{ status?: number, retryAfter?: number, cause?: unknown }} [options] `retryAfter` in seconds
   */
  constructor(code, message = code, { status, retryAfter, cause } = {}) {
    super(message, { cause });
    this.name = "TryOnError";
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** What has words (`error.<code>.…` of the string table), and the button that helps. @type {Record<string, string | null>} */
const ACTIONS = {
  camera_missing: "again",
  camera_denied: "again",
  camera_busy: "again",
  camera_lost: "again",
  camera_blocked: null,
  insecure_origin: null,
  camera_unsupported: null,
  at_capacity: "now",
  rate_limited: "again",
  unauthorized: null,
  worker_unavailable: "now",
  store_unavailable: "now",
  connection_lost: null,
  server_unreachable: "again",
  connection_failed: "again",
  slow_path: null,
  replaced: "here",
  session_ended: "restart",
  capture_failed: null,
  no_frame_yet: null,
  unknown_design: null,
  designs_unavailable: "again",
  origin_not_allowed: null,
  bad_image: null,
  too_large: null,
  vision_failed: "again",
  unknown_nail: null,
  internal_error: "again",
};

/**
 * What people read. A code that nobody wrote words for reads as a fault of ours.
 * @param {string} code
 * @returns {Words}
 */
export function wordsFor(code) {
  const meant = code === "registry_unavailable" ? "worker_unavailable" : code; // people can tell no difference
  const known = Object.hasOwn(ACTIONS, meant) ? meant : "internal_error";
  const action = ACTIONS[known];
  return {
    title: say(`error.${known}.title`),
    text: say(`error.${known}.text`),
    action: action && say(`button.${action}`),
  };
}

/** The same in one line. @param {string} code */
export function sentenceFor(code) {
  const { title, text } = wordsFor(code);
  return say("error.sentence", { title, text });
}

/** Errors that the camera would only meet again: what is left is the demo hand. @param {string} code */
export function isHopeless(code) {
  return ["camera_blocked", "camera_unsupported", "insecure_origin", "origin_not_allowed"].includes(code);
}

const SERVERS = [
  "origin_not_allowed",
  "at_capacity",
  "rate_limited",
  "unauthorized",
  "worker_unavailable",
  "store_unavailable",
  "server_unreachable",
  "connection_failed",
  "vision_failed",
  "internal_error",
];

/** Errors of the server or the way there, which the demo hand would meet as well. @param {string} code */
export function isServers(code) {
  return SERVERS.includes(code);
}

/** What to say of a connection that is being made again: why it waits, or that it was lost. @param {string} code */
export function whyItWaits(code) {
  return code === "at_capacity" || code === "rate_limited" ? code : "connection_lost";
}

/** Close codes of protocol/errors.py that mean more than a lost connection. @type {Record<number, string>} */
const CLOSE_CODES = {
  4401: "unauthorized",
  4404: "not_found",
  4409: "replaced",
  4410: "session_ended",
  4429: "rate_limited",
  4503: "at_capacity",
};

/**
 * The error behind a WebSocket's close.
 * @param {number} closeCode
 * @param {string} [reason]
 */
export function closeError(closeCode, reason = "") {
  return new TryOnError(CLOSE_CODES[closeCode] ?? "connection_lost", `closed with ${closeCode} ${reason}`.trim());
}

/**
 * Any thrown value as a TryOnError.
 * @param {unknown} error
 * @returns {TryOnError}
 */
export function asTryOnError(error) {
  if (error instanceof TryOnError) return error;
  return new TryOnError("internal_error", String(error), { cause: error });
}
