/** The server's `/admin/…`, called with the admin token. No DOM. */

/** @typedef {{ id: string, url: string, region: string, live: boolean, draining: boolean, capacity: number, load: number }} Worker */
/** @typedef {{ id: number | null, name: string, colours: string[] }} Design */
/**
 * @typedef {object} Statistics
 * @property {number} frames_in @property {number} frames_out
 * @property {Record<string, number>} frames_dropped
 * @property {number} fps
 * @property {Record<string, { p50: number, p95: number }>} latency_ms
 * @property {number | null} width @property {number | null} height
 */
/**
 * @typedef {object} Session
 * @property {string} session_id @property {string} owner @property {string} mode @property {string} status
 * @property {Design} design @property {string | null} worker
 * @property {string} created_at @property {string} expires_at
 * @property {number | null} connections @property {number | null} nails @property {number | null} confidence
 * @property {Statistics} statistics
 */
/**
 * @typedef {object} Result
 * @property {string} result_id @property {string} session_id @property {string} owner @property {Design | null} design
 * @property {number} width @property {number} height @property {number | null} confidence_score
 * @property {string} created_at
 */
/**
 * @typedef {object} Trouble
 * @property {"warning" | "error"} level @property {string} event
 * @property {string | null} code @property {string | null} kind
 * @property {string | null} session_id @property {string | null} worker
 * @property {string} first_at @property {string} last_at @property {number} count
 */
/**
 * @typedef {object} Overview
 * @property {{ name: string, version: string, started_at: string }} process
 * @property {number} created @property {number} active @property {boolean} thumbnails
 */
/**
 * @typedef {object} Look  All that the page shows.
 * @property {Overview} overview @property {Worker[]} workers @property {Session[]} sessions @property {Result[]} results
 * @property {{ process: string, errors: Trouble[] }} errors
 */

export const RESULTS_SHOWN = 12;
export const ERRORS_SHOWN = 30;
const TIMEOUT_MS = 8000;

/** What the server said no to, or that it said nothing: then `status` is 0. */
export class Refused extends Error {
  /** @param {number} status @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export class AdminClient {
  #fetch;
  #token;
  /** Server time minus ours, in ms: its clock and this device's need not agree. */
  skew = 0;

  /** @param {string | null} token @param {typeof fetch} [fetcher] */
  constructor(token, fetcher = (...given) => fetch(...given)) {
    this.#token = token;
    this.#fetch = fetcher;
  }

  /** Whether the token opens anything; throws Refused where it does not. @returns {Promise<Overview>} */
  async overview() {
    return (await this.#call("GET", "/admin/overview/")).json();
  }

  /**
   * Everything that could be read, and what could not. Throws Refused where nothing could, or the token is refused.
   * @param {number} sessions how many to list at most
   * @returns {Promise<{ look: Partial<Look>, missing: string[] }>}
   */
  async look(sessions) {
    const paths = {
      overview: "/admin/overview/",
      workers: "/admin/workers/",
      sessions: `/admin/sessions/?limit=${sessions}`,
      results: `/admin/results/?limit=${RESULTS_SHOWN}`,
      errors: `/admin/errors/?limit=${ERRORS_SHOWN}`,
    };
    const names = Object.keys(paths);
    const answers = await Promise.allSettled(
      Object.values(paths).map(async (path) => (await this.#call("GET", path)).json()),
    );
    const refusals = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason] : []));
    const fatal = refusals.find(({ status }) => status === 401 || status === 403);
    if (fatal) throw fatal;
    if (refusals.length === names.length) throw refusals[0];
    const look = Object.fromEntries(
      answers.flatMap((answer, place) => (answer.status === "fulfilled" ? [[names[place], answer.value]] : [])),
    );
    return { look, missing: names.filter((name) => !(name in look)) };
  }

  /** @param {string} worker */
  async drain(worker) {
    await this.#call("POST", `/admin/workers/${encodeURIComponent(worker)}/drain`);
  }

  /** @param {string} worker */
  async undrain(worker) {
    await this.#call("DELETE", `/admin/workers/${encodeURIComponent(worker)}/drain`);
  }

  /** @param {string} session */
  async end(session) {
    await this.#call("DELETE", `/admin/sessions/${session}/`);
  }

  /** A small picture of a session or a result. @param {"sessions" | "results"} of @param {string} id @returns {Promise<Blob>} */
  async picture(of, id) {
    return (await this.#call("GET", `/admin/${of}/${id}/thumbnail`)).blob();
  }

  /** @param {string} method @param {string} path */
  async #call(method, path) {
    /** @type {Record<string, string>} */
    const headers = this.#token === null ? {} : { Authorization: `Bearer ${this.#token}` };
    let response;
    try {
      // No cookies: the token alone says who asks.
      response = await this.#fetch(path, {
        method,
        headers,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      throw new Refused(0, "server_unreachable", String(error));
    }
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (!Number.isNaN(date)) this.skew = date - Date.now();
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    throw new Refused(response.status, problem.code ?? "internal_error", problem.detail ?? `HTTP ${response.status}`);
  }
}

/**
 * Whether the token was right all the same: the server looks at it first. Who looks after a server whose database is away
 * wants to see the rest. @param {Refused} refusal
 */
export function failedLater({ status }) {
  return status === 500 || status === 503;
}

/** Whether this can be sent in a header at all: what was pasted may hold anything. @param {string} token */
export function isSendable(token) {
  return /^[\x20-\x7e]+$/.test(token);
}
