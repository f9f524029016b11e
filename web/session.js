/**
 * One visit: from "Start camera" to the end, through pauses and lost connections.
 *
 *     idle → starting → connecting → live ⇄ paused
 *                                     live, paused → reconnecting → live, paused
 *     any of them → idle (stopped) · ended (the server closed the session) · failed (see the error)
 *
 * The session owns the camera stream, the server's session, one transport at a time, its heartbeat and the waiting
 * between attempts. It touches neither the page nor the network itself, so tests give it a fake transport and clock.
 */

import { backoffDelay } from "./backoff.js";
import { asTryOnError, TryOnError } from "./errors.js";
import { next as nextQuality, UNKNOWN } from "./quality.js";

/** @typedef {"idle" | "starting" | "connecting" | "live" | "paused" | "reconnecting" | "ended" | "failed"} State */
/** @typedef {import("./transport-webrtc.js").Transport} Transport */
/** @typedef {import("./transport-webrtc.js").TransportOptions} TransportOptions */
/** @typedef {(options: TransportOptions) => Transport} TransportFactory */
/** @typedef {import("./messages.js").Text} Text */
/** @typedef {import("./messages.js").Settings} Settings */
/** @typedef {import("./api.js").SessionInfo} SessionInfo */
/** @typedef {import("./messages.js").Metadata} Metadata */
/** @typedef {{ blob: Blob, width: number, height: number, nails: number }} Photo */

/**
 * Time as the session sees it; tests bring their own.
 * @typedef {object} Clock
 * @property {() => number} now milliseconds, never going back
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */

/**
 * What a listener of `on(name, …)` gets.
 * @typedef {object} Events
 * @property {{ from: State, to: State, error: TryOnError | null }} state
 * @property {{ stream: MediaStream }} source the camera (or another one) runs
 * @property {{ element: HTMLElement }} output a new element will show the processed picture
 * @property {{ first: boolean }} frame a processed picture was shown; `first` of its connection
 * @property {{ delayMs: number, attempt: number, error: TryOnError }} retry the next attempt waits this long
 * @property {{ level: import("./quality.js").Level | null }} quality
 * @property {Metadata} metadata
 * @property {TryOnError} problem something was refused; the stream goes on
 */

/** Legal steps. @type {Record<State, State[]>} */
export const STEPS = {
  idle: ["starting"],
  starting: ["connecting", "idle", "failed"],
  connecting: ["live", "idle", "ended", "failed"],
  live: ["paused", "reconnecting", "idle", "ended", "failed"],
  paused: ["live", "reconnecting", "idle", "ended", "failed"],
  reconnecting: ["live", "paused", "idle", "ended", "failed"],
  ended: ["starting", "idle"],
  failed: ["starting", "idle"],
};

const PING_MS = 1000;
/** No message at all for this long is a lost connection: aiortc itself notices only after 30 s. */
export const SILENCE_MS = 3000;
/** From the offer to the first processed picture. A TURN relay takes 3 s, a busy server's first picture longer. */
const CONNECT_MS = 15_000;
/** A first connection that fails this often is a network that does not let us through. */
const FIRST_ATTEMPTS = 4;
/** After this long without a connection, ask the person. */
const GIVE_UP_MS = 180_000;
/** A connection that held this long starts the backoff anew; shorter ones do not, or a flapping server is hammered. */
const STABLE_MS = 5000;
const CAPTURE_MS = 8000;

/** @type {Clock} */
const REAL_CLOCK = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

export class TryOnSession {
  /** @type {State} */
  #state = "idle";
  /** Why the session failed or ended. @type {TryOnError | null} */
  error = null;
  /** @type {Metadata | null} */
  lastMetadata = null;

  #api;
  #factories;
  #clock;
  #random;
  /** @type {Map<string, Set<(detail: any) => void>>} */
  #listeners = new Map();

  /** @type {Settings} */
  #settings = {};
  /** @type {MediaStream | null} */
  #source = null;
  /** Makes a session like the one of this run. */
  #openSession = () => this.#explore();
  /** @type {SessionInfo | null} */
  #info = null;
  /** @type {Transport | null} */
  #transport = null;
  #factory = 0;
  /** Grows with every start and stop, so that late answers of an earlier run are recognised. */
  #run = 0;
  #ready = false;
  #shown = false;
  #expiring = false;
  #linkIsHeard = true;

  #attempt = 0;
  #liveSince = 0;
  #lostSince = 0;
  #waiting = false;
  /** The one timer of connecting: either waiting for an attempt, or limiting it. */
  #connectTimer = /** @type {any} */ (undefined);
  #beatTimer = /** @type {any} */ (undefined);
  #beatAt = 0;
  #heardAt = 0;

  /** @type {Map<string, { resolve: (photo: Photo) => void, reject: (error: TryOnError) => void, timer: any }>} */
  #captures = new Map();
  #captureCount = 0;

  #quality = UNKNOWN;
  /** @type {{ rttMs: number | null, fps: number | null, loss: number | null }} */
  #numbers = { rttMs: null, fps: null, loss: null };
  /** @type {Record<string, unknown>} */
  #detail = {};
  /** @type {Text | null} */
  #serverStats = null;

  /**
   * @param {object} options
   * @param {Pick<import("./api.js").Api, "createSession" | "extend" | "end">} options.api
   * @param {TransportFactory[]} options.transports in order of preference
   * @param {Clock} [options.clock]
   * @param {() => number} [options.random]
   */
  constructor({ api, transports, clock = REAL_CLOCK, random = Math.random }) {
    this.#api = api;
    this.#factories = transports;
    this.#clock = clock;
    this.#random = random;
  }

  get state() {
    return this.#state;
  }

  /** The server's id of this session, once there is one. */
  get id() {
    return this.#info?.session_id ?? null;
  }

  /** The server's session, with the token that speaks for it. */
  get info() {
    return this.#info;
  }

  /** What is worn and how. @returns {Readonly<Settings>} */
  get settings() {
    return this.#settings;
  }

  /** The newest numbers of the connection. */
  stats() {
    return {
      state: this.#state,
      transport: this.#transport?.kind ?? null,
      quality: this.#quality.level,
      ...this.#numbers,
      server: this.#serverStats,
      detail: this.#detail,
    };
  }

  /**
   * @template {keyof Events} N
   * @param {N} name
   * @param {(detail: Events[N]) => void} listener
   */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
  }

  /**
   * Opens the camera and a session side by side, then connects them. Failures end in the state `failed`.
   * @param {object} options
   * @param {() => Promise<MediaStream>} options.openSource
   * @param {number | null} options.design null: what `openSession` brings
   * @param {() => Promise<SessionInfo>} [options.openSession] asked again where the server forgot the session
   */
  async start({ openSource, design, openSession = () => this.#explore() }) {
    this.#enter("starting");
    const run = ++this.#run;
    Object.assign(this, { error: null, lastMetadata: null });
    this.#settings = { ...this.#settings, design, paused: false };
    this.#openSession = openSession;
    this.#factory = 0;
    this.#attempt = 0;
    const opening = openSource();
    const creating = openSession();
    try {
      const [source, info] = await Promise.all([opening, creating]);
      if (run !== this.#run) throw new TryOnError("connection_lost", "stopped while starting");
      this.#info = info;
      this.#adopt(source);
    } catch (error) {
      opening.then(stopTracks, () => {});
      creating.then((info) => this.#api.end(info), () => {}).catch(() => {});
      if (run === this.#run) this.#fail(asTryOnError(error));
      return;
    }
    this.#enter("connecting");
    this.#lostSince = this.#clock.now();
    void this.#connect();
  }

  /** Freezes the picture, here and on the server. */
  pause() {
    if (this.#state !== "live") return;
    this.#enter("paused");
    this.configure({ paused: true });
    this.#transport?.setPaused(true);
  }

  resume() {
    if (this.#state !== "paused") return;
    this.#enter("live");
    this.configure({ paused: false });
    this.#transport?.setPaused(false);
    if (this.#expiring) this.#extend();
  }

  /**
   * Changes what is worn. Kept and sent again after every reconnection.
   * @param {Settings} settings
   */
  configure(settings) {
    this.#settings = { ...this.#settings, ...settings };
    if (this.#ready) this.#transport?.send({ type: "config", ...settings });
  }

  /**
   * The newest processed picture at full resolution.
   * @returns {Promise<Photo>}
   */
  capture() {
    if (!this.#ready) return Promise.reject(new TryOnError("no_frame_yet"));
    const id = `photo-${++this.#captureCount}`;
    return new Promise((resolve, reject) => {
      const late = () => this.#settleCapture(id)?.reject(new TryOnError("capture_failed"));
      const timer = this.#clock.setTimeout(late, CAPTURE_MS);
      this.#captures.set(id, { resolve, reject, timer });
      this.#transport?.send({ type: "capture", format: "jpeg", request_id: id });
    });
  }

  /**
   * Goes on with another camera. The caller has closed the old one.
   * @param {MediaStream} source
   */
  async replaceSource(source) {
    if (!this.#source) return stopTracks(source);
    this.#adopt(source);
    await this.#transport?.replaceSource(source);
  }

  /** Tries to reconnect now instead of when the wait is over: the network came back, or the person asks. */
  retryNow() {
    if (this.#state === "reconnecting" && this.#waiting) void this.#connect();
  }

  /** The person leaves: tells the server, closes everything, goes back to idle. Safe to call at any time. */
  stop() {
    if (this.#state === "idle") return;
    this.#release(true);
    this.#enter("idle");
  }

  // --- states -------------------------------------------------------------------------------------------------------

  /** The only place that changes the state. @param {State} to @param {TryOnError | null} [error] */
  #enter(to, error = null) {
    const from = this.#state;
    if (!STEPS[from].includes(to)) throw new Error(`illegal step: ${from} → ${to}`);
    this.#state = to;
    this.error = error;
    if (to === "live") this.#liveSince = this.#clock.now();
    console.debug(`lacquer: ${from} → ${to}${error ? ` (${error.code})` : ""}`);
    this.#emit("state", { from, to, error });
  }

  /** @param {TryOnError} error */
  #fail(error) {
    this.#release(true);
    this.#enter("failed", error);
  }

  /**
   * The server has closed the session, or gave it to another page: nothing is left to tell it.
   * @param {TryOnError} error
   */
  #end(error) {
    this.#release(false);
    this.#enter("ended", error);
  }

  /** Frees everything this run holds. @param {boolean} tell whether to end the session on the server */
  #release(tell) {
    this.#run += 1;
    // First, for the page may be going away; where it does not arrive, the session expires by itself.
    if (tell && this.#info) this.#api.end(this.#info).catch(() => {});
    this.#info = null;
    this.#disconnect(tell);
    stopTracks(this.#source);
    this.#source = null;
    this.#expiring = false;
  }

  // --- connecting ---------------------------------------------------------------------------------------------------

  /** One attempt, from nothing to `ready`. The first picture (or a wanted pause) then completes it. */
  async #connect() {
    const run = this.#run;
    this.#waiting = false;
    this.#clock.clearTimeout(this.#connectTimer);
    this.#connectTimer = this.#clock.setTimeout(
      () => this.#lost(new TryOnError("connection_failed", "no picture in time")),
      CONNECT_MS,
    );
    try {
      this.#info ??= await this.#newSession(run);
      const transport = this.#open(this.#info);
      await transport.connect();
    } catch (error) {
      if (run === this.#run) this.#lost(asTryOnError(error));
    }
  }

  /** A session for the design of the catalogue that is worn. */
  #explore() {
    return this.#api.createSession(/** @type {number} */ (this.#settings.design));
  }

  /** The old session is gone (a server that forgot it): the same design in a new one. @param {number} run */
  async #newSession(run) {
    const info = await this.#openSession();
    if (run === this.#run) return info;
    this.#api.end(info).catch(() => {});
    throw new TryOnError("connection_lost", "stopped while reconnecting");
  }

  /** @param {SessionInfo} session */
  #open(session) {
    this.#disconnect(false);
    const mine = (/** @type {(...args: any[]) => void} */ act) => (/** @type {any[]} */ ...args) => {
      if (this.#transport === transport) act(...args);
    };
    /** @type {Transport} */
    const transport = this.#factories[this.#factory]({
      api: /** @type {any} */ (this.#api),
      session,
      source: /** @type {MediaStream} */ (this.#source),
      onText: mine((message) => this.#hear(message)),
      onBinary: mine((message) => this.#hearBinary(message)),
      onFrame: mine(() => this.#frame()),
      onLost: mine((error) => this.#lost(error)),
    });
    this.#transport = transport;
    this.#emit("output", { element: transport.output });
    return transport;
  }

  /** Closes the transport and everything that hangs on it. @param {boolean} leaving */
  #disconnect(leaving) {
    const transport = this.#transport;
    this.#transport = null;
    this.#ready = false;
    this.#shown = false;
    if (leaving) this.#clock.clearTimeout(this.#connectTimer);
    this.#clock.clearTimeout(this.#beatTimer);
    for (const id of [...this.#captures.keys()]) this.#settleCapture(id)?.reject(new TryOnError("capture_failed"));
    transport?.close(leaving);
  }

  /** The connection is gone, or an attempt failed: what now? @param {TryOnError} error */
  #lost(error) {
    if (!["connecting", "live", "paused", "reconnecting"].includes(this.#state)) return;
    this.#disconnect(false);
    if (error.code === "replaced" || error.code === "session_ended") return this.#end(error);
    if (error.code === "not_found" || error.code === "unauthorized") this.#info = null;
    const now = this.#clock.now();
    this.#tryOtherTransport(error);
    if (this.#state === "live" || this.#state === "paused") {
      if (now - this.#liveSince > STABLE_MS) this.#attempt = 0;
      this.#lostSince = now;
      this.#enter("reconnecting", error);
    }
    const hopeless = this.#state === "connecting" && (isFull(error) || this.#attempt >= FIRST_ATTEMPTS);
    if (hopeless || now - this.#lostSince > GIVE_UP_MS) return this.#fail(lastWord(error));
    this.#retryLater(error);
  }

  /** A network that does not let WebRTC through may still pass a WebSocket. @param {TryOnError} error */
  #tryOtherTransport(error) {
    if (error.code === "connection_failed") this.#factory = (this.#factory + 1) % this.#factories.length;
  }

  /** @param {TryOnError} error */
  #retryLater(error) {
    const attempt = this.#attempt++;
    const delayMs = Math.max(backoffDelay(attempt, this.#random), (error.retryAfter ?? 0) * 1000);
    this.#waiting = true;
    this.#emit("retry", { delayMs, attempt, error });
    this.#clock.clearTimeout(this.#connectTimer);
    this.#connectTimer = this.#clock.setTimeout(() => void this.#connect(), delayMs);
  }

  /** @param {MediaStream} source */
  #adopt(source) {
    this.#source = source;
    for (const track of source.getVideoTracks()) {
      track.addEventListener("ended", () => {
        if (this.#source === source) this.#fail(new TryOnError("camera_lost"));
      });
    }
    this.#emit("source", { stream: source });
  }

  // --- what the server says -----------------------------------------------------------------------------------------

  /** @param {Text} message */
  #hear(message) {
    this.#heardAt = this.#clock.now();
    switch (message.type) {
      case "ready":
        return this.#welcome();
      case "ping":
        return this.#transport?.send({ type: "pong", t: message.t ?? null });
      case "pong":
        if (typeof message.t === "number") this.#numbers.rttMs = this.#heardAt - message.t;
        return undefined;
      case "metadata":
        this.lastMetadata = /** @type {Metadata} */ (/** @type {unknown} */ (message));
        return this.#emit("metadata", this.lastMetadata);
      case "stats":
        this.#serverStats = message;
        return undefined;
      case "error":
        return this.#refused(message);
      case "session":
        return this.#sessionEvent(message.event);
      case "draining":
        this.#attempt = 0;
        return this.#lost(new TryOnError("connection_lost", "the worker is leaving"));
      default:
        return undefined; // newer servers may say more
    }
  }

  #welcome() {
    this.#ready = true;
    this.#heardAt = this.#beatAt = this.#clock.now();
    this.#transport?.send({ type: "config", ...this.#settings });
    if (this.#settings.paused) {
      this.#clock.clearTimeout(this.#connectTimer);
      this.#transport?.setPaused(true);
      this.#enter("paused");
    }
    this.#beat();
  }

  #frame() {
    this.#heardAt = this.#clock.now();
    const first = !this.#shown;
    this.#shown = true;
    this.#emit("frame", { first });
    if (!this.#ready || (this.#state !== "connecting" && this.#state !== "reconnecting")) return;
    this.#clock.clearTimeout(this.#connectTimer);
    this.#enter("live");
  }

  /** @param {Text} message */
  #refused({ code, message, fatal }) {
    const error = new TryOnError(String(code), String(message));
    if (fatal) return this.#lost(error);
    if (code === "unknown_type" && this.#linkIsHeard) {
      this.#linkIsHeard = false; // a worker older than this page: nothing to bother a person with
      return undefined;
    }
    const [oldest] = code === "no_frame_yet" ? this.#captures.keys() : [];
    if (oldest) return this.#settleCapture(oldest)?.reject(error);
    return this.#emit("problem", error);
  }

  /** @param {string} event */
  #sessionEvent(event) {
    if (event === "ended") return this.#end(new TryOnError("session_ended"));
    this.#expiring = event === "expiring";
    if (this.#expiring && this.#state === "live") this.#extend();
  }

  /** A paused page is not extended: nobody may be there. It is when it resumes. */
  #extend() {
    this.#expiring = false;
    if (this.#info) this.#api.extend(this.#info).catch((error) => this.#emit("problem", asTryOnError(error)));
  }

  /** @param {import("./messages.js").BinaryMessage} message */
  #hearBinary({ header, payload }) {
    this.#heardAt = this.#clock.now();
    if (header.type !== "capture") return;
    const blob = new Blob([/** @type {any} */ (payload)], { type: `image/${header.format}` });
    this.#settleCapture(String(header.request_id))?.resolve({
      blob,
      width: header.width,
      height: header.height,
      nails: header.nails,
    });
  }

  /** @param {string} id */
  #settleCapture(id) {
    const capture = this.#captures.get(id);
    this.#captures.delete(id);
    this.#clock.clearTimeout(capture?.timer);
    return capture;
  }

  // --- heartbeat ----------------------------------------------------------------------------------------------------

  /** Once a second: is anybody there, and how well do we hear each other? */
  #beat() {
    const now = this.#clock.now();
    const slept = now - this.#beatAt > 2.5 * PING_MS; // a late timer says that we slept, not that the server is silent
    if (slept) this.#heardAt = now;
    this.#beatAt = now;
    if (now - this.#heardAt > SILENCE_MS) return this.#lost(new TryOnError("connection_lost", "silence"));
    this.#transport?.send({ type: "ping", t: now });
    void this.#measure();
    this.#beatTimer = this.#clock.setTimeout(() => this.#beat(), PING_MS);
  }

  async #measure() {
    const transport = this.#transport;
    const stats = await transport?.stats();
    if (!stats || transport !== this.#transport || this.#state !== "live") return;
    this.#numbers = { ...this.#numbers, fps: stats.fps, loss: stats.loss };
    this.#detail = stats.detail;
    if (stats.link && this.#linkIsHeard) this.#transport?.send({ type: "link", ...stats.link });
    if (stats.fps === null) return; // the first look only starts the counters
    const before = this.#quality.level;
    this.#quality = nextQuality(this.#quality, this.#numbers);
    if (this.#quality.level !== before) this.#emit("quality", { level: this.#quality.level });
  }

  /**
   * @template {keyof Events} N
   * @param {N} name
   * @param {Events[N]} detail
   */
  #emit(name, detail) {
    for (const listener of this.#listeners.get(name) ?? []) listener(detail);
  }
}

/** @param {TryOnError} error */
function isFull({ code }) {
  return code === "at_capacity" || code === "worker_unavailable";
}

/** The error to end with: a lost connection that never came back is a server out of reach. @param {TryOnError} error */
function lastWord(error) {
  return error.code === "connection_lost" ? new TryOnError("server_unreachable", error.message) : error;
}

/** @param {MediaStream | null} stream */
function stopTracks(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
