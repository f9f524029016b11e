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
import { Heartbeat, LOOK_MS } from "./heartbeat.js";
import { next as nextQuality, overtaken, sampleOf, UNKNOWN } from "./quality.js";
import { SourceKeeper, stopTracks } from "./source-keeper.js";

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
 * @property {() => number} wall milliseconds of the calendar, which goes on while the device sleeps
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
 * @property {{ level: import("./quality.js").Level | null, factor: import("./quality.js").Factor | null }} quality
 * @property {{ kind: Transport["kind"] }} path the picture comes by another way than before, or for the first time
 * @property {TryOnError} camera it is gone; it comes back as a `source`, or the session fails
 * @property {Readonly<Settings>} settings something was chosen
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

/** From the offer to an open connection, where there is another way to try. A TURN relay takes 3 s. */
export const REACH_MS = 8000;
/** From there to the first processed picture: a busy server's takes a while. */
const CONNECT_MS = 15_000;
/** On single pictures, live video is tried again after so long. */
export const BETTER_MS = 180_000;
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
  wall: () => Date.now(),
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
  #keeper;
  /** Makes a session like the one of this run. */
  #openSession = () => this.#explore();
  /** @type {SessionInfo | null} */
  #info = null;
  /** @type {Transport | null} */
  #transport = null;
  #factory = 0;
  /** Live video, tried while single pictures run. @type {Transport | null} */
  #better = null;
  #betterIsReady = false;
  #betterTimer = /** @type {any} */ (undefined);
  /** How the last picture came. @type {Transport["kind"] | null} */
  #path = null;
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
  #heartbeat = new Heartbeat(0, 0);

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
  /** Share of the frames that the server skipped lately. */
  #overtaken = 0;

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
    this.#keeper = new SourceKeeper(clock, {
      onWaiting: () => this.#emit("camera", new TryOnError("camera_lost")),
      onBack: (stream) => void this.replaceSource(stream),
      onGone: (error) => this.#fail(error),
    });
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
      factor: this.#quality.factor,
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
   * @param {(lost?: MediaStream) => Promise<MediaStream>} options.openSource asked again, with the one that was lost,
   *   where a camera ends
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
    this.#path = null;
    this.#attempt = 0;
    this.#keeper.reopenBy(openSource);
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
    this.#dismissBetter();
    this.#keeper.rest(true);
    this.configure({ paused: true });
    this.#transport?.setPaused(true);
  }

  resume() {
    if (this.#state !== "paused") return;
    this.#enter("live");
    this.configure({ paused: false });
    this.#transport?.setPaused(false);
    this.#keeper.rest(false);
    if (this.#expiring) this.#extend();
  }

  /**
   * Changes what is worn. Kept and sent again after every reconnection.
   * @param {Settings} settings
   */
  configure(settings) {
    this.#settings = { ...this.#settings, ...settings };
    if (settings.quality) this.#transport?.setQuality(settings.quality);
    if (this.#ready) this.#transport?.send({ type: "config", ...settings });
    this.#emit("settings", this.#settings);
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
    if (!this.#keeper.stream) return stopTracks(source);
    this.#adopt(source);
    this.#dismissBetter();
    await this.#transport?.replaceSource(source);
  }

  /** Tries to reconnect now instead of when the wait is over: the network came back, or the person asks. */
  retryNow() {
    if (this.#state === "reconnecting" && this.#waiting) void this.#connect();
  }

  /** Another network, or the same one again: what was blocked may be open now, and what was open may be dead. */
  networkChanged() {
    this.#heartbeat.beWary(this.#clock.now());
    if (this.#state === "reconnecting") this.#factory = 0;
    this.retryNow();
    void this.#tryBetter();
  }

  /** Looks after the camera now: a device was plugged in, the page is seen again, or the person asks. */
  checkCamera() {
    this.#keeper.check();
    this.#keeper.retryNow();
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
    this.#keeper.release();
    this.#expiring = false;
  }

  // --- connecting ---------------------------------------------------------------------------------------------------

  /** One attempt, from nothing to `ready`. The first picture (or a wanted pause) then completes it. */
  async #connect() {
    const run = this.#run;
    this.#waiting = false;
    this.#limit(this.#factories.length > 1 && this.#factory === 0 ? REACH_MS : CONNECT_MS, "no connection in time");
    /** @type {Transport | null} */
    let transport = null;
    try {
      this.#info ??= await this.#newSession(run);
      transport = this.#open(this.#info);
      await transport.connect();
      if (transport === this.#transport && this.#isConnecting) this.#limit(CONNECT_MS, "no picture in time");
    } catch (error) {
      // One that was given up meanwhile says so as well.
      if (run === this.#run && (!transport || transport === this.#transport)) this.#lost(asTryOnError(error));
    }
  }

  get #isConnecting() {
    return this.#state === "connecting" || this.#state === "reconnecting";
  }

  /** @param {number} ms @param {string} reason */
  #limit(ms, reason) {
    this.#clock.clearTimeout(this.#connectTimer);
    this.#connectTimer = this.#clock.setTimeout(() => this.#lost(new TryOnError("connection_failed", reason)), ms);
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
    const transport = this.#make(this.#factory, session);
    this.#transport = transport;
    this.#emit("output", { element: transport.output });
    return transport;
  }

  /** A transport that is heard while it is the one in use, or the better one that is tried. @param {number} factory
   * @param {SessionInfo} session */
  #make(factory, session) {
    /** @type {(act: (...args: any[]) => void, early?: (...args: any[]) => void) => (...args: any[]) => void} */
    const heard =
      (act, early = () => {}) =>
      (...args) => {
        if (transport === this.#transport) act(...args);
        else if (transport === this.#better) early(...args);
      };
    /** @type {Transport} */
    const transport = this.#factories[factory]({
      api: /** @type {any} */ (this.#api),
      session,
      source: /** @type {MediaStream} */ (this.#keeper.stream),
      onText: heard((message) => this.#hear(message), ({ type }) => type === "ready" && this.#welcomeBetter(transport)),
      onBinary: heard((message) => this.#hearBinary(message)),
      onFrame: heard(() => this.#frame(), () => this.#betterIsReady && this.#change(transport)),
      onLost: heard((error) => this.#lost(error), () => this.#dismissBetter()),
    });
    return transport;
  }

  /** Tells a connection all that is worn. @param {Transport} transport */
  #dress(transport) {
    transport.setQuality(this.#settings.quality ?? "auto");
    transport.send({ type: "config", ...this.#settings });
  }

  /** Closes the transport and everything that hangs on it. @param {boolean} leaving */
  #disconnect(leaving) {
    const transport = this.#transport;
    this.#transport = null;
    this.#ready = false;
    this.#shown = false;
    if (leaving) this.#clock.clearTimeout(this.#connectTimer);
    this.#clock.clearTimeout(this.#beatTimer);
    this.#dismissBetter();
    this.#clock.clearTimeout(this.#betterTimer);
    this.#rejectCaptures();
    transport?.close(leaving);
  }

  #rejectCaptures() {
    for (const id of [...this.#captures.keys()]) this.#settleCapture(id)?.reject(new TryOnError("capture_failed"));
  }

  // --- from single pictures back to live video ------------------------------------------------------------------------

  #tryBetterLater() {
    this.#clock.clearTimeout(this.#betterTimer);
    if (this.#factory > 0) this.#betterTimer = this.#clock.setTimeout(() => void this.#tryBetter(), BETTER_MS);
  }

  /** Whether live video gets through by now. The picture goes on meanwhile, by the way it has. */
  async #tryBetter() {
    if (this.#factory === 0 || this.#better || !this.#info || this.#state !== "live") return this.#tryBetterLater();
    const better = this.#make(0, this.#info);
    [this.#better, this.#betterIsReady] = [better, false];
    this.#emit("output", { element: better.output });
    this.#clock.clearTimeout(this.#betterTimer);
    this.#betterTimer = this.#clock.setTimeout(() => this.#dismissBetter(), REACH_MS);
    await better.connect().catch(() => this.#better === better && this.#dismissBetter());
  }

  /** @param {Transport} better */
  #welcomeBetter(better) {
    this.#betterIsReady = true;
    this.#dress(better);
  }

  #dismissBetter() {
    const better = this.#better;
    this.#better = null;
    better?.close();
    if (better) this.#tryBetterLater();
  }

  /** Its first picture is there: it takes over. @param {Transport} better */
  #change(better) {
    const before = this.#transport;
    this.#clock.clearTimeout(this.#betterTimer);
    [this.#transport, this.#better, this.#factory, this.#shown] = [better, null, 0, false];
    this.#rejectCaptures();
    before?.close();
    this.#frame();
    this.#tellPath();
  }

  #tellPath() {
    const kind = this.#transport?.kind ?? null;
    if (kind === null || kind === this.#path) return;
    this.#path = kind;
    this.#emit("path", { kind });
    this.#tryBetterLater();
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
    this.#keeper.follow(source);
    this.#emit("source", { stream: source });
  }

  // --- what the server says -----------------------------------------------------------------------------------------

  /** @param {Text} message */
  #hear(message) {
    this.#heartbeat.heard(this.#clock.now());
    switch (message.type) {
      case "ready":
        return this.#welcome();
      case "ping":
        return this.#transport?.send({ type: "pong", t: message.t ?? null });
      case "pong":
        if (typeof message.t === "number") this.#numbers.rttMs = this.#clock.now() - message.t;
        return undefined;
      case "metadata":
        this.lastMetadata = /** @type {Metadata} */ (/** @type {unknown} */ (message));
        return this.#emit("metadata", this.lastMetadata);
      case "stats":
        this.#overtaken = overtaken(this.#serverStats, message);
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
    this.#heartbeat = new Heartbeat(this.#clock.now(), this.#clock.wall());
    if (this.#transport) this.#dress(this.#transport);
    if (this.#settings.paused) {
      this.#clock.clearTimeout(this.#connectTimer);
      this.#transport?.setPaused(true);
      this.#enter("paused");
    }
    this.#beat();
  }

  #frame() {
    this.#heartbeat.heard(this.#clock.now());
    const first = !this.#shown;
    this.#shown = true;
    this.#emit("frame", { first });
    if (!this.#ready || !this.#isConnecting) return;
    this.#clock.clearTimeout(this.#connectTimer);
    this.#enter("live");
    this.#tellPath();
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
    this.#heartbeat.heard(this.#clock.now());
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

  /** Is anybody there, and how well do we hear each other? */
  #beat() {
    const now = this.#clock.now();
    const quiet = this.#state !== "live" || this.#keeper.isLost;
    const { lost, ask, ping, slept } = this.#heartbeat.look(now, this.#clock.wall(), quiet);
    if (lost) return this.#lost(new TryOnError("connection_lost", "silence"));
    if (ask) void this.#ask();
    if (ping) {
      this.#transport?.send({ type: "ping", t: now });
      void this.#measure();
    }
    if (slept) this.#keeper.check();
    this.#beatTimer = this.#clock.setTimeout(() => this.#beat(), LOOK_MS);
  }

  /** Asks the server by another way whether it still has this connection. */
  async #ask() {
    const transport = this.#transport;
    try {
      await transport?.probe();
    } catch (error) {
      const { code, message } = asTryOnError(error);
      if (transport !== this.#transport || !GONE.includes(code)) return;
      this.#lost(new TryOnError("connection_lost", `asked for it: ${message}`));
    }
  }

  async #measure() {
    const transport = this.#transport;
    const stats = await transport?.stats();
    if (!stats || transport !== this.#transport || this.#state !== "live") return;
    this.#numbers = { ...this.#numbers, fps: stats.fps, loss: stats.loss };
    this.#detail = stats.detail;
    if (stats.link && this.#linkIsHeard) this.#transport?.send({ type: "link", ...stats.link });
    if (stats.fps === null || this.#keeper.isLost) return; // the first look only starts the counters
    const { level, factor } = this.#quality;
    const server = { processingMs: this.lastMetadata?.stages?.total ?? null, overtaken: this.#overtaken };
    const retreat = Number(this.#serverStats?.retreat ?? 0);
    this.#quality = nextQuality(this.#quality, sampleOf(stats, this.#numbers.rttMs, { ...server, retreat }));
    if (this.#quality.level === level && this.#quality.factor === factor) return;
    this.#emit("quality", { level: this.#quality.level, factor: this.#quality.factor });
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

/** What a server says that does not have a connection any more. */
const GONE = ["not_found", "worker_unavailable", "precondition_failed", "replaced"];

/** @param {TryOnError} error */
function isFull({ code }) {
  return ["at_capacity", "rate_limited", "worker_unavailable", "store_unavailable"].includes(code);
}

/** The error to end with: a lost connection that never came back is a server out of reach. @param {TryOnError} error */
function lastWord(error) {
  return error.code === "connection_lost" ? new TryOnError("server_unreachable", error.message) : error;
}
