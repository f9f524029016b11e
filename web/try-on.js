/**
 * The try-on for pages of a shop's own, without any page of ours: it opens the camera, talks to a Lacquer server anywhere,
 * and gives an element with the picture.
 *
 *     import { TryOn } from "https://tryon.example/static/try-on.js";
 *     const tryOn = new TryOn();
 *     tryOn.attach(document.querySelector("#mirror"));
 *     await tryOn.start({ design: 20 });
 *
 * Importing it and making one touches nothing of the page: no globals, no styles, nothing stored. Several live side by
 * side. What it listens to, it leaves with `stop()`; `close()` frees the rest. web/README.md explains each call.
 */

import { Api } from "./api.js";
import { isMirror, openCamera, sameCamera, switchCamera } from "./camera.js";
import { TryOnError, wordsFor } from "./errors.js";
import { changed, CLASSIC, settingsOf, withPhoto } from "./outfit.js";
import { PageLife } from "./page-life.js";
import { TryOnSession } from "./session.js";
import { throttle } from "./throttle.js";
import { TryOnPicture } from "./try-on-picture.js";
import { webrtcAvailable, webrtcFactory } from "./transport-webrtc.js";
import { WebSocketTransport } from "./transport-websocket.js";
import { shrink, Upload } from "./upload.js";

/** @typedef {"camera" | "demo" | MediaStream} Source */
/** @typedef {{ source?: Source, design?: number | null, mirror?: boolean }} StartOptions */
/** @typedef {"auto" | "webrtc" | "websocket"} Transport */
/** @typedef {import("./session.js").Photo} Photo */
/** @typedef {import("./outfit.js").Change} Change */

export { TryOnError };

/** Where this module came from is where the server is, unless somebody says otherwise. */
const SERVER = new URL("/", import.meta.url).href;

const OVER = ["idle", "ended", "failed"];

export class TryOn extends EventTarget {
  #api;
  #session;
  #socketOnly;
  #picture = new TryOnPicture();
  #outfit = CLASSIC;
  /** The person's own photo, as long as its nails may be worn. @type {Upload | null} */
  #upload = null;
  /** What the last start was asked for. @type {{ source: Source, mirror?: boolean }} */
  #asked = { source: "camera" };
  /** The camera, or what stands in for it. @type {MediaStream | null} */
  #stream = null;
  /** Whoever waits for `start`. @type {{ resolve: () => void, reject: (error: Error) => void } | null} */
  #starting = null;
  #closed = false;
  /** Colours are searched for by dragging. */
  #configure = throttle(() => this.#session.configure(settingsOf(this.#outfit)));

  /** @param {{ url?: string | URL, token?: import("./api.js").Token | null, transport?: Transport }} [options] */
  constructor({ url = SERVER, token = null, transport = "auto" } = {}) {
    super();
    this.#api = new Api({ base: new URL(url, location.href).href, token });
    this.#socketOnly = transport === "websocket" || !webrtcAvailable();
    this.#session = new TryOnSession({ api: this.#api, transports: this.#transports(transport) });
    this.#listen();
  }

  /** @returns {import("./session.js").State} */
  get state() {
    return this.#session.state;
  }

  /** Why the last try-on failed or ended. */
  get error() {
    return this.#session.error;
  }

  /** The server's id of the session, while there is one. */
  get sessionId() {
    return this.#session.id;
  }

  /** The id of the design that is worn, or will be; null for the nails of the person's own photo. */
  get design() {
    return this.#outfit.design;
  }

  /** Everything that is worn, as the server is told. */
  get settings() {
    return settingsOf(this.#outfit);
  }

  /** Shows the picture, from here to `close()`; as large as what it lies in. */
  get element() {
    return this.#picture.element;
  }

  /** @param {Element | DocumentFragment} container @returns {HTMLElement} the picture, inside it */
  attach(container) {
    container.append(this.element);
    return this.element;
  }

  /** What can be worn. */
  designs() {
    return this.#api.designs();
  }

  /**
   * Starts, in place of what runs now. Resolves when the first processed picture is shown.
   * @param {StartOptions} [options]
   */
  async start({ source = "camera", design = this.design, mirror } = {}) {
    if (this.#closed) throw new TryOnError("session_ended", "this TryOn is closed: make a new one");
    this.stop();
    this.#asked = { source, mirror };
    this.wear({ design });
    const live = /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => (this.#starting = { resolve, reject }))
    );
    this.#session.configure(settingsOf(this.#outfit));
    const openSession = () => this.#openSession();
    void this.#session.start({ openSource: (lost) => this.#open(lost), design: this.design, openSession });
    await live;
  }

  /** Changes what is worn, at once or from the start. What is not named stays. @param {Change} change */
  wear(change) {
    const before = this.design;
    this.#outfit = changed(this.#outfit, change);
    if (!OVER.includes(this.state)) this.#configure();
    if (this.design !== before) this.#emit("design", { design: this.design });
  }

  /** Freezes the picture; the camera is no longer sent. */
  pause() {
    this.#session.pause();
  }

  resume() {
    this.#session.resume();
  }

  /** Does not wait for the next attempt to reconnect. */
  retry() {
    this.#session.retryNow();
  }

  /** The newest processed picture, at full resolution. @returns {Promise<Photo>} */
  async capture() {
    const photo = await this.#session.capture();
    this.#emit("capture", photo);
    return photo;
  }

  /** Goes on with the next camera: front and back on phones. */
  async switchCamera() {
    if (!this.#stream || this.#asked.source !== "camera") return;
    await this.#session.replaceSource(await switchCamera(this.#stream));
  }

  /**
   * Wears the nails of a photo of a manicure, now or from the start.
   * @param {Blob} photo @returns {Promise<import("./api.js").Design>} with the nails that were found
   */
  async useManicure(photo) {
    const small = await shrink(photo);
    const info = await this.#api.upload(small);
    const upload = new Upload(this.#api, small, info);
    if (this.#closed) {
      upload.discard();
      throw new TryOnError("session_ended", "closed meanwhile");
    }
    this.#upload?.discard();
    this.#upload = upload;
    this.#outfit = withPhoto(this.#outfit);
    this.#emit("design", { design: null });
    // Only the photo's own session can wear its nails.
    if (!OVER.includes(this.state)) await this.start(this.#asked);
    return { ...info.design, id: null };
  }

  /**
   * Keeps a photo on the server, as long as the session lives.
   * @param {Photo | Blob} photo @param {Record<string, unknown>} [metadata]
   */
  async save(photo, metadata = {}) {
    const { info } = this.#session;
    if (!info) throw new TryOnError("session_ended", "save while the try-on runs");
    return this.#api.save(info, photo instanceof Blob ? photo : photo.blob, metadata);
  }

  /** The newest numbers of the connection. */
  stats() {
    return this.#session.stats();
  }

  /** Ends the session, here and on the server. `start()` begins a new one. */
  stop() {
    this.#session.stop();
  }

  /** Ends everything for good, and takes the picture away. */
  close() {
    this.#closed = true;
    this.stop();
    this.#upload?.discard();
    this.#upload = null;
    this.element.remove();
  }

  /** @param {Transport} wanted */
  #transports(wanted) {
    /** @type {import("./session.js").TransportFactory} */
    const socket = (options) => new WebSocketTransport(options);
    if (this.#socketOnly) return [socket];
    return wanted === "webrtc" ? [webrtcFactory()] : [webrtcFactory(), socket];
  }

  /** @param {MediaStream} [lost] a camera that ended: the same one again */
  async #open(lost) {
    const { source } = this.#asked;
    if (source === "camera") return openCamera(lost && sameCamera(lost));
    if (source === "demo") return this.#openDemoHand();
    return new MediaStream(source.getVideoTracks().map((track) => track.clone())); // the page's own runs on
  }

  /** Few ask for it, so its module comes when they do. */
  async #openDemoHand() {
    const { openDemoHand } = await import("./demo-hand.js");
    const { clientWidth, clientHeight } = this.element;
    return openDemoHand({ portrait: clientHeight > clientWidth, videoRange: !this.#socketOnly });
  }

  /** As long as there is a photo, every session is made of it: it can be worn again. */
  #openSession() {
    return this.#upload ? this.#upload.session() : this.#api.createSession(this.design ?? 1);
  }

  #listen() {
    const [session, picture, life] = [this.#session, this.#picture, new PageLife(this.#session)];
    session.on("state", ({ from, to, error }) => {
      life.follow(to);
      picture.follow(to);
      if (OVER.includes(to)) this.#stream = null;
      this.#settle(to, error);
      this.#emit("state", { state: to, from, error });
      if (error && OVER.includes(to)) this.#complain(error, true);
    });
    session.on("source", ({ stream }) => {
      this.#stream = stream;
      picture.showCamera(stream, this.#asked.mirror ?? (this.#asked.source === "camera" && isMirror(stream)));
    });
    session.on("output", ({ element }) => picture.prepare(element));
    session.on("frame", ({ first }) => first && picture.reveal());
    session.on("quality", (detail) => this.#emit("quality", detail));
    session.on("metadata", (detail) => this.#emit("metadata", detail));
    session.on("retry", (detail) => this.#emit("retry", detail));
    session.on("problem", (error) => this.#complain(error, false));
  }

  /** @param {import("./session.js").State} state @param {TryOnError | null} error */
  #settle(state, error) {
    if (!this.#starting || !(state === "live" || OVER.includes(state))) return;
    const { resolve, reject } = this.#starting;
    this.#starting = null;
    if (state === "live") resolve();
    else reject(error ?? new DOMException("stopped before the first picture", "AbortError"));
  }

  /** @param {TryOnError} error @param {boolean} fatal */
  #complain(error, fatal) {
    console.warn(`lacquer: ${error.code}: ${error.message}`);
    const { title, text } = wordsFor(error.code);
    this.#emit("problem", { code: error.code, message: error.message, title, text, fatal, error });
  }

  /** @param {string} name @param {unknown} detail */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
