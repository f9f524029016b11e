/** Photos and clips: what the shutter does, its progress, and on to the sheet that shows the result. */

import { Clip, CLIP_MS, clipType, SHORTEST_MS } from "./clip.js";
import { TryOnError } from "./errors.js";
import { Shutter } from "./shutter.js";
import { say } from "./strings.js";
import { captureName } from "./words.js";

/** @typedef {import("./session.js").State} State */

export class Captures {
  #parts;
  #session;
  #sheet;
  #events;
  #shutter;
  #type = clipType();
  /** @type {Clip | null} */
  #clip = null;
  /** The camera's frame at the moment of the pause: the picture is of then. @type {Promise<ImageBitmap | null> | null} */
  #pausedFrame = null;
  #since = 0;
  #timer = 0;
  #busy = false;

  /**
   * @param {{ shutter: HTMLButtonElement, mode: HTMLButtonElement, flash: HTMLElement, preview: HTMLVideoElement }} parts
   * @param {import("./session.js").TryOnSession} session
   * @param {import("./photo-sheet.js").PhotoSheet} sheet
   * @param {{ design: () => string, onProblem: (error: unknown) => void }} events `design` names what is worn
   */
  constructor(parts, session, sheet, events) {
    this.#parts = parts;
    this.#session = session;
    this.#sheet = sheet;
    this.#events = events;
    this.#shutter = new Shutter(parts.shutter, {
      onPhoto: () => void this.#photo(),
      onFilm: () => this.#film(),
      onCut: () => this.#clip?.stop(),
    });
    parts.mode.hidden = this.#type === null;
    parts.mode.onclick = () => this.#switch();
    session.on("state", ({ to }) => this.#follow(to));
    this.#follow(session.state);
  }

  /** Not running, there is nothing to take; paused, nothing to film. @param {State} state */
  #follow(state) {
    const { shutter, mode } = this.#parts;
    shutter.disabled = !(state === "live" || (state === "paused" && !this.#shutter.films));
    mode.disabled = state !== "live" && state !== "paused";
    if (state !== "live") this.#clip?.stop();
    this.#pausedFrame = state === "paused" ? this.#cameraFrame() : null;
  }

  #cameraFrame() {
    return createImageBitmap(this.#parts.preview).catch(() => null); // a camera that gives no picture now
  }

  #switch() {
    this.#shutter.films = !this.#shutter.films;
    this.#parts.mode.setAttribute("aria-pressed", String(this.#shutter.films));
    this.#follow(this.#session.state);
    this.#show();
  }

  async #photo() {
    if (this.#busy) return; // not disabled: that would take the keyboard's focus away
    this.#busy = true;
    const { flash } = this.#parts;
    flash.classList.remove("on");
    const before = this.#pausedFrame ?? this.#cameraFrame();
    try {
      const photo = await this.#session.capture();
      flash.classList.add("on");
      await this.#sheet.showPhoto(photo.blob, this.#name("jpg"), await before);
    } catch (error) {
      this.#events.onProblem(error);
    } finally {
      this.#busy = false;
    }
  }

  /** @returns {boolean} whether it films now */
  #film() {
    const stream = streamOf(document.getElementById("output"));
    if (this.#clip || this.#type === null || !stream || this.#session.state !== "live") return false;
    void this.#record(stream, this.#type);
    return true;
  }

  /** Until six seconds are over, the person ends it, or the connection does. @param {MediaStream} stream @param {string} type */
  async #record(stream, type) {
    try {
      this.#clip = new Clip(stream, type);
      this.#since = performance.now();
      this.#timer = setInterval(() => this.#progress(), 50);
      this.#show();
      const film = await this.#clip.done;
      await this.#finished(film, performance.now() - this.#since);
    } catch (error) {
      this.#events.onProblem(new TryOnError("capture_failed", String(error), { cause: error }));
    } finally {
      clearInterval(this.#timer);
      this.#clip = null;
      this.#show();
    }
  }

  /** @param {Blob} film @param {number} ms */
  async #finished(film, ms) {
    clearInterval(this.#timer);
    this.#clip = null;
    this.#show();
    if (ms < SHORTEST_MS) return;
    if (film.size === 0) throw new Error("nothing was recorded");
    await this.#sheet.showClip(film, this.#name(film.type === "video/mp4" ? "mp4" : "webm"));
  }

  #progress() {
    const done = Math.min(1, (performance.now() - this.#since) / CLIP_MS);
    this.#parts.shutter.style.setProperty("--done", String(done));
    if (done === 1) this.#clip?.stop();
  }

  #show() {
    const { shutter } = this.#parts;
    const filming = this.#clip !== null;
    this.#shutter.filming = filming;
    shutter.dataset.mode = filming ? "filming" : this.#shutter.films ? "clip" : "photo";
    const does = filming ? "button.cut" : this.#shutter.films ? "button.film" : "button.photo";
    shutter.setAttribute("aria-label", say(does));
    shutter.style.setProperty("--done", "0");
  }

  /** @param {string} ending */
  #name(ending) {
    return captureName(this.#events.design(), new Date(), ending);
  }
}

/** The painted picture as a stream. @param {HTMLElement | null} output */
function streamOf(output) {
  if (output instanceof HTMLVideoElement) return /** @type {MediaStream | null} */ (output.srcObject);
  return output instanceof HTMLCanvasElement ? output.captureStream(30) : null;
}
