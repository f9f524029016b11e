/**
 * The camera as single pictures over a WebSocket, for browsers and networks without WebRTC.
 *
 * `pacer.js` says when the next one leaves, so the rate finds itself and delay never piles up; `picture-size.js` says how
 * large it may be. The processed picture is drawn on a canvas.
 */

import { closeError, TryOnError } from "./errors.js";
import { pack } from "./framing.js";
import { Inbox } from "./messages.js";
import { Pacer } from "./pacer.js";
import { PictureSize } from "./picture-size.js";

/** @typedef {import("./transport-webrtc.js").TransportOptions} TransportOptions */
/** @typedef {import("./transport-webrtc.js").Transport} Transport */

/** @implements {Transport} */
export class WebSocketTransport {
  kind = /** @type {const} */ ("websocket");
  output = document.createElement("canvas");

  #options;
  #pacer = new Pacer();
  #size = new PictureSize();
  /** Of one picture in the server, as it says itself. */
  #processingMs = 0;
  #bytes = 0;
  #camera = document.createElement("video");
  #sheet = document.createElement("canvas");
  /** @type {WebSocket | null} */
  #socket = null;
  #paused = false;
  #busy = false;
  #closed = false;
  /** @type {number | undefined} */
  #timer;
  #counters = { at: 0, answered: 0, lost: 0, camera: 0 };

  /** @param {TransportOptions} options */
  constructor(options) {
    this.#options = options;
    this.#camera.muted = true;
    this.#camera.playsInline = true;
    this.#camera.srcObject = options.source;
  }

  async connect() {
    const played = this.#camera.play();
    await this.#open();
    await played.catch(() => {}); // refused autoplay: there is still a first picture to send
    this.#pump();
  }

  /** @param {object} message */
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** @param {boolean} paused */
  setPaused(paused) {
    this.#paused = paused;
    if (!paused) this.#pump();
  }

  /** TCP tells by itself that the other side is gone: signaling closes the socket as soon as a worker dies. */
  async probe() {}

  /** @param {string} quality */
  setQuality(quality) {
    this.#size.wish(quality);
  }

  /** @param {MediaStream} source */
  async replaceSource(source) {
    this.#camera.srcObject = source;
    await this.#camera.play();
  }

  async stats() {
    const before = this.#counters;
    const { answered, lost, roundTripMs } = this.#pacer;
    const now = performance.now();
    const camera = this.#camera.getVideoPlaybackQuality?.().totalVideoFrames ?? NaN;
    this.#counters = { at: now, answered, lost, camera };
    const { budget, scale } = this.#size;
    const detail = { roundTripMs, format: await imageFormat(), answered, lost, bytes: this.#bytes, budget, scale };
    if (before.at === 0) return { fps: null, loss: null, detail };
    const perSecond = (/** @type {number} */ count) => (count * 1000) / Math.max(1, now - before.at);
    const [done, gone] = [answered - before.answered, lost - before.lost];
    const fps = perSecond(done);
    this.#size.came(fps, (roundTripMs ?? 0) > 2 * this.#processingMs);
    const cameraFps = perSecond(camera - before.camera);
    // Pictures that the server skipped are told by its `stats`; nothing is lost on the way of a WebSocket.
    return { fps, loss: done + gone > 0 ? 0 : 1, cameraFps: Number.isFinite(cameraFps) ? cameraFps : null, detail };
  }

  /** @param {boolean} [leaving] */
  close(leaving = false) {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#camera.srcObject = null;
    if (leaving) this.send({ type: "bye" });
    this.#socket?.close(1000);
  }

  #open() {
    const url = socketUrl(this.#options.session.ws_url, location.href);
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    const inbox = new Inbox({
      onText: (message) => {
        if (message.type === "error" && this.#pacer.answer(message.frame_number, performance.now())) this.#pump();
        this.#options.onText(message);
      },
      onBinary: (message) => {
        if (message.header.type === "processed_frame") void this.#show(message);
        else this.#options.onBinary(message);
      },
    });
    socket.onmessage = ({ data }) => {
      if (!this.#closed) inbox.push(data);
    };
    return /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        let open = false;
        socket.onopen = () => {
          open = true;
          resolve();
        };
        socket.onclose = ({ code, reason }) => {
          const error = closeError(code, reason);
          if (open && !this.#closed) this.#options.onLost(error);
          reject(error);
        };
      })
    );
  }

  /** Sends the newest camera picture as soon as the pacer allows, and comes back for the next one. */
  #pump() {
    clearTimeout(this.#timer);
    if (this.#closed || this.#paused || this.#busy) return;
    const waitMs = this.#pacer.waitMs(performance.now());
    if (waitMs > 0) this.#timer = setTimeout(() => this.#pump(), waitMs);
    else void this.#sendFrame().then(() => this.#pump());
  }

  async #sendFrame() {
    const { videoWidth: width, videoHeight: height } = this.#camera;
    const frameNumber = this.#pacer.send(performance.now());
    if (width === 0) return; // the camera has no picture yet: the pacer's timeout brings us back
    this.#busy = true;
    const payload = await this.#encode(width, height).finally(() => (this.#busy = false));
    if (this.#closed || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(pack({ type: "frame", frame_number: frameNumber, timestamp: Date.now() }, payload));
  }

  /** @param {number} width @param {number} height */
  async #encode(width, height) {
    const sheet = this.#sheet;
    const size = { width: evenly(width * this.#size.scale), height: evenly(height * this.#size.scale) };
    if (sheet.width !== size.width || sheet.height !== size.height) Object.assign(sheet, size);
    context2d(sheet).drawImage(this.#camera, 0, 0, size.width, size.height);
    const blob = await toBlob(sheet, await imageFormat(), this.#size.quality);
    this.#bytes = blob.size;
    this.#size.encoded(blob.size);
    return new Uint8Array(await blob.arrayBuffer());
  }

  /** @param {import("./messages.js").BinaryMessage} message */
  async #show({ header, payload }) {
    this.#pacer.answer(header.frame_number, performance.now());
    this.#processingMs = Number(header.processing_ms ?? 0);
    this.#pump(); // the next picture travels while this one is drawn
    const picture = await decode(payload, `image/${header.format}`);
    if (this.#closed || this.#paused || !picture) return;
    const { width, height } = picture;
    if (this.output.width !== width || this.output.height !== height) Object.assign(this.output, { width, height });
    context2d(this.output).drawImage(picture, 0, 0);
    picture.close();
    this.#options.onFrame();
  }
}

/**
 * The socket's address: `ws_url` may be relative, or written with http.
 * @param {string} wsUrl @param {string} base
 */
export function socketUrl(wsUrl, base) {
  const url = new URL(wsUrl, base);
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}

/** @type {Promise<string> | undefined} */
let format;

/**
 * The best format that this browser's canvas truly encodes. Safari answers a wish for WebP with a PNG and no word.
 * @returns {Promise<string>}
 */
export function imageFormat() {
  format ??= toBlob(Object.assign(document.createElement("canvas"), { width: 1, height: 1 }), "image/webp").then(
    ({ type }) => (type === "image/webp" ? type : "image/jpeg"),
  );
  return format;
}

/** @param {number} side */
function evenly(side) {
  return Math.round(side / 2) * 2;
}

/** @param {HTMLCanvasElement} canvas @param {string} type @param {number} [quality] @returns {Promise<Blob>} */
function toBlob(canvas, type, quality) {
  return new Promise((resolve, reject) => {
    const done = (/** @type {Blob | null} */ blob) =>
      blob ? resolve(blob) : reject(new TryOnError("internal_error", "the canvas gave no picture"));
    canvas.toBlob(done, type, quality);
  });
}

/** @param {Uint8Array} bytes @param {string} type @returns {Promise<ImageBitmap | null>} null for a broken picture */
function decode(bytes, type) {
  return createImageBitmap(new Blob([/** @type {any} */ (bytes)], { type })).catch(() => null);
}

/** @param {HTMLCanvasElement} canvas */
function context2d(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
}
