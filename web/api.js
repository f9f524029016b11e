/** The REST calls of the page: sessions, designs and SDP. Problem documents (RFC 9457) become TryOnErrors. */

import { TryOnError } from "./errors.js";

/**
 * @typedef {object} Design
 * @property {number | null} id
 * @property {string} name
 * @property {string} family
 * @property {string | null} pattern
 * @property {string | null} finish
 * @property {string[]} colours
 * @property {string | null} [shape]
 * @property {string | null} [length]
 * @property {Partial<Record<import("./wishes.js").Finger, Partial<import("./nail-view.js").Look>>>} [fingers] accent nails
 * @property {string} thumbnail_url
 * @property {import("./nail-set.js").NailSet | null} [nail_set] of a design taken from a picture
 */

/**
 * @typedef {object} SessionInfo  The part of `SessionCreated` (protocol/api.py) that the page needs.
 * @property {string} session_id
 * @property {string} token
 * @property {string} webrtc_url
 * @property {string} ws_url
 * @property {RTCIceServer[]} ice_servers
 * @property {Design} design
 */

/**
 * @typedef {object} SavedResult  The part of `ResultView` (protocol/api.py) that the page needs.
 * @property {string} result_id
 * @property {Pick<Design, "name"> | null} design
 * @property {string} image_url
 * @property {number} width
 * @property {number} height
 * @property {string} created_at ISO 8601
 * @property {Record<string, unknown>} metadata what the page said when it saved it
 */

/** @typedef {{ answer: string, location: string | null, etag: string | null }} SdpAnswer */

/**
 * @typedef {object} Options
 * @property {{ token?: string }} [session] whose token to show
 * @property {string | FormData} [body]
 * @property {string} [type]
 * @property {Record<string, string>} [headers]
 * @property {boolean} [keepalive]
 * @property {AbortSignal} [signal]
 */

const ROOT = "/api/try-on/";
/** A small file of the page, to see whether the server is there. */
const FILE = "/static/package.json";
const SDP = "application/sdp";
const SDP_FRAGMENT = "application/trickle-ice-sdpfrag";

/** @typedef {string | (() => string | Promise<string>)} Token  A bearer token, or what is asked for one each time. */

export class Api {
  #base;
  #fetch;
  #token;

  /**
   * @param {{ base?: string, fetch?: typeof globalThis.fetch, token?: Token | null }} [options] `base` is where the server
   *   lives; `token` a JWT of the host application, which tells whose sessions and photos these are, in place of a cookie
   */
  constructor({ base = globalThis.location?.href, fetch = globalThis.fetch, token = null } = {}) {
    this.#base = base;
    this.#fetch = fetch.bind(globalThis);
    this.#token = token;
  }

  /** @returns {Promise<Design[]>} */
  async designs() {
    const response = await this.#call("GET", `${ROOT}designs/`);
    return response.json();
  }

  /** @param {number} postId @returns {Promise<SessionInfo>} */
  async createSession(postId) {
    const body = JSON.stringify({ mode: "explore", post_id: postId });
    const response = await this.#callAsOwner("POST", `${ROOT}sessions/`, { body, type: "application/json" });
    return response.json();
  }

  /** A session that wears the nails of a picture. @param {Blob} picture @returns {Promise<SessionInfo>} */
  async upload(picture) {
    const body = new FormData();
    body.set("mode", "upload");
    body.set("nail_reference_image", picture, "manicure.jpg");
    const response = await this.#callAsOwner("POST", `${ROOT}sessions/`, { body });
    return response.json();
  }

  /**
   * Keeps a picture on the server, as worn in a session that is not over.
   * @param {Pick<SessionInfo, "session_id"> & Partial<SessionInfo>} session without its token, the cookie says whose it is
   * @param {Blob} picture @param {Record<string, unknown>} metadata
   * @returns {Promise<SavedResult>}
   */
  async save(session, picture, metadata) {
    const body = new FormData();
    body.set("session_id", session.session_id);
    body.set("processed_image", picture, "photo.jpg");
    body.set("metadata", JSON.stringify(metadata));
    const response = await this.#call("POST", `${ROOT}results/`, { session, body });
    return response.json();
  }

  /** What this browser has saved, newest first. @returns {Promise<SavedResult[]>} */
  async results() {
    const response = await this.#callAsOwner("GET", `${ROOT}results/?limit=200`);
    return response.json();
  }

  /** @param {Pick<SavedResult, "result_id">} result */
  async forget({ result_id: id }) {
    await this.#callAsOwner("DELETE", `${ROOT}results/${id}/`);
  }

  /**
   * The token, and credentials of relays, expire with the session as it was, so `session` gets new ones.
   * @param {SessionInfo} session
   */
  async extend(session) {
    const response = await this.#call("POST", `${ROOT}sessions/${session.session_id}/extend/`, { session });
    const { ice_servers: servers, token } = await response.json();
    session.ice_servers = servers;
    if (token) session.token = token;
  }

  /**
   * Ends the session. `keepalive` lets the request outlive the page.
   * @param {SessionInfo} session
   */
  async end(session) {
    await this.#call("DELETE", `${ROOT}sessions/${session.session_id}/`, { session, keepalive: true });
  }

  /**
   * Sends an offer (RFC 9725) and returns the answer with its resource.
   * @param {SessionInfo} session
   * @param {string} offer
   * @param {AbortSignal} [signal]
   * @returns {Promise<SdpAnswer>}
   */
  async offer(session, offer, signal) {
    const response = await this.#call("POST", session.webrtc_url, { session, body: offer, type: SDP, signal });
    const location = response.headers.get("Location");
    return {
      answer: await response.text(),
      location: location && new URL(location, new URL(session.webrtc_url, this.#base)).href,
      etag: response.headers.get("ETag"),
    };
  }

  /**
   * Sends candidates that were found after the offer (RFC 8840).
   * @param {SessionInfo} session
   * @param {SdpAnswer} resource
   * @param {string} fragment
   */
  async trickle(session, resource, fragment) {
    if (!resource.location) return;
    /** @type {Record<string, string>} */
    const headers = resource.etag ? { "If-Match": resource.etag } : {};
    await this.#call("PATCH", resource.location, { session, body: fragment, type: SDP_FRAGMENT, headers });
  }

  /** @param {SessionInfo} session @param {string} location */
  async hangUp(session, location) {
    await this.#call("DELETE", location, { session, keepalive: true });
  }

  /**
   * As whoever the host application says; without its token, as whoever the cookie says.
   * @param {string} method @param {string} path @param {Options} [options]
   */
  async #callAsOwner(method, path, options = {}) {
    const token = typeof this.#token === "function" ? await this.#token() : this.#token;
    return this.#call(method, path, token ? { ...options, session: { token } } : options);
  }

  /** @param {string} method @param {string} path @param {Options} [options] */
  async #call(method, path, { session, body, type, headers = {}, keepalive, signal } = {}) {
    if (session?.token) headers = { ...headers, Authorization: `Bearer ${session.token}` };
    if (type) headers = { ...headers, "Content-Type": type };
    let response;
    try {
      response = await this.#fetch(new URL(path, this.#base), { method, headers, body, keepalive, signal });
    } catch (error) {
      if (!keepalive && !signal?.aborted) await this.#explain();
      throw new TryOnError("server_unreachable", `${method} ${path}: ${error}`, { cause: error });
    }
    if (!response.ok) throw await problem(response);
    return response;
  }

  /**
   * A browser does not tell a page why a request to another origin failed. But everybody may read the server's files:
   * where they arrive, it is the origin that is not let in. Throws `origin_not_allowed` then.
   */
  async #explain() {
    const origin = globalThis.location?.origin;
    const server = new URL(this.#base).origin;
    if (origin === undefined || origin === server) return;
    const file = await this.#fetch(new URL(FILE, server), { method: "HEAD" }).catch(() => null);
    if (!file?.ok) return;
    const remedy = `add ${origin} to its setting LACQUER_ALLOWED_ORIGINS`;
    throw new TryOnError("origin_not_allowed", `${server} does not let pages of ${origin} in: ${remedy}`);
  }
}

/**
 * The error that a response tells of. A proxy in between may answer with a page instead of a problem document.
 * @param {Response} response
 * @returns {Promise<TryOnError>}
 */
export async function problem(response) {
  const { status } = response;
  /** @type {{ code?: string, detail?: string }} */
  const document = await response.json().catch(() => ({}));
  const retryAfter = retryAfterSeconds(response.headers.get("Retry-After"));
  const code = typeof document?.code === "string" ? document.code : codeOfStatus(status);
  return new TryOnError(code, document?.detail ?? `HTTP ${status}`, { status, retryAfter });
}

/** @param {number} status */
function codeOfStatus(status) {
  if ([502, 503, 504].includes(status)) return "worker_unavailable";
  if (status === 410) return "session_ended";
  return status === 404 ? "not_found" : "internal_error";
}

/**
 * `Retry-After` in seconds: a number, or an HTTP date (RFC 9110 §10.2.3).
 * @param {string | null} value
 * @param {number} [now] ms
 * @returns {number | undefined}
 */
export function retryAfterSeconds(value, now = Date.now()) {
  if (value === null || value.trim() === "") return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now) / 1000));
}
