/**
 * Everything that can go wrong, under one code, and what to tell people about it.
 *
 * Codes of the server are those of protocol/errors.py; the page adds its own for the camera and the connection.
 */

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

/** @type {Record<string, Words>} */
const WORDS = {
  camera_missing: {
    title: "No camera found",
    text: "Connect a camera and try again, or watch the demo hand wear the designs.",
    action: "Try again",
  },
  camera_denied: {
    title: "Camera access is off",
    text: "Allow the camera for this site in your browser’s address bar or settings, then try again.",
    action: "Try again",
  },
  camera_busy: {
    title: "The camera is in use",
    text: "Another app or tab is using the camera. Close it, then try again.",
    action: "Try again",
  },
  camera_lost: {
    title: "The camera stopped",
    text: "It was unplugged or taken by another app. Connect it again to go on.",
    action: "Try again",
  },
  camera_blocked: {
    title: "The camera is blocked here",
    text: "The site that shows this page does not let it use the camera. Open it in its own tab.",
    action: null,
  },
  insecure_origin: {
    title: "A secure connection is needed",
    text: "Browsers only share the camera over https. Open this page with https:// in front, or on localhost.",
    action: null,
  },
  camera_unsupported: {
    title: "This browser has no camera access",
    text: "Open the page in a current Safari, Chrome, Edge or Firefox. Browsers inside other apps often lack it.",
    action: null,
  },
  at_capacity: {
    title: "The studio is full right now",
    text: "Every place is taken. One usually frees up within seconds.",
    action: "Try now",
  },
  worker_unavailable: {
    title: "The studio is just opening",
    text: "No place is ready yet. One usually is within seconds.",
    action: "Try now",
  },
  connection_lost: {
    title: "Connection lost",
    text: "Reconnecting you to your session. Your design is kept.",
    action: null,
  },
  server_unreachable: {
    title: "We cannot reach the studio",
    text: "Check your internet connection, then try again.",
    action: "Try again",
  },
  connection_failed: {
    title: "No live connection",
    text: "Your network seems to block live video. Try another network, or turn off the VPN.",
    action: "Try again",
  },
  slow_path: {
    title: "Connected another way",
    text: "Live video is blocked here, so pictures are sent one by one. It may look less smooth.",
    action: null,
  },
  replaced: {
    title: "Opened somewhere else",
    text: "Your session moved to another tab or device, so this one has stopped.",
    action: "Use it here",
  },
  session_ended: {
    title: "Your session has ended",
    text: "Start again whenever you like. It takes a second.",
    action: "Start again",
  },
  capture_failed: {
    title: "That photo did not work",
    text: "The picture did not arrive. Please take it once more.",
    action: null,
  },
  no_frame_yet: {
    title: "One moment",
    text: "There is no picture to save yet. Hold your hand in view and try again.",
    action: null,
  },
  unknown_design: {
    title: "This design is gone",
    text: "It is no longer in the collection. Pick another one.",
    action: null,
  },
  designs_unavailable: {
    title: "The designs did not load",
    text: "Check your internet connection, then try again.",
    action: "Try again",
  },
  bad_image: {
    title: "We cannot read this picture",
    text: "Choose a photo as JPEG, PNG or WebP. A screenshot of it works, too.",
    action: null,
  },
  too_large: {
    title: "This picture is too large",
    text: "Choose a smaller one, or a screenshot of it.",
    action: null,
  },
  vision_failed: {
    title: "We could not look for nails",
    text: "It is on our side. Please try again in a moment.",
    action: "Try again",
  },
  unknown_nail: {
    title: "This nail is not in your photo",
    text: "Choose another one, or add the photo again.",
    action: null,
  },
  internal_error: {
    title: "Something went wrong",
    text: "It is on our side. Please try again in a moment.",
    action: "Try again",
  },
};

/**
 * What people read. A code that nobody wrote words for reads as a fault of ours.
 * @param {string} code
 * @returns {Words}
 */
export function wordsFor(code) {
  return WORDS[code] ?? WORDS.internal_error;
}

/** Errors that the camera would only meet again: what is left is the demo hand. @param {string} code */
export function isHopeless(code) {
  return ["camera_blocked", "camera_unsupported", "insecure_origin"].includes(code);
}

const SERVERS = [
  "at_capacity",
  "worker_unavailable",
  "server_unreachable",
  "connection_failed",
  "vision_failed",
  "internal_error",
];

/** Errors of the server or the way there, which the demo hand would meet as well. @param {string} code */
export function isServers(code) {
  return SERVERS.includes(code);
}

/** Close codes of protocol/errors.py that mean more than a lost connection. @type {Record<number, string>} */
const CLOSE_CODES = {
  4401: "unauthorized",
  4404: "not_found",
  4409: "replaced",
  4410: "session_ended",
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
