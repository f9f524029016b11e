/**
 * Keeps the camera alive: one that ended, or that gives nothing after the page was away, is opened again.
 *
 * Phones end or mute cameras of pages in the background; webcams get unplugged and come back. Touches neither page nor
 * network, so tests give it fake tracks and a clock.
 */

import { asTryOnError, TryOnError } from "./errors.js";

/** Waits before each attempt in a row; then somebody has to do something: `retryNow`. */
const ATTEMPTS_MS = [0, 300, 1200, 2700];
/** For so long after the last attempt, a camera that is plugged in again goes on. */
const PATIENCE_MS = 60_000;
/** Cameras that come back from the background are muted for some frames. */
const MUTED_MS = 1000;
/** Asking again would only be refused again. */
const FINAL = ["camera_denied", "camera_blocked", "insecure_origin", "camera_unsupported"];

/**
 * @typedef {object} Listeners
 * @property {() => void} onWaiting nothing helps by itself: the person is to be told
 * @property {(stream: MediaStream) => void} onBack
 * @property {(error: TryOnError) => void} onGone for good
 */

export class SourceKeeper {
  #clock;
  #listeners;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {(lost: MediaStream) => Promise<MediaStream>} */
  #reopen = async (lost) => lost;
  #lost = false;
  #opening = false;
  #resting = false;
  #attempt = 0;
  #timer = /** @type {any} */ (undefined);

  /** @param {Pick<import("./session.js").Clock, "setTimeout" | "clearTimeout">} clock @param {Listeners} listeners */
  constructor(clock, listeners) {
    this.#clock = clock;
    this.#listeners = listeners;
  }

  get stream() {
    return this.#stream;
  }

  /** Whether there is no picture of the camera now. */
  get isLost() {
    return this.#lost;
  }

  /** How to open the source again, given the one that was lost. @param {(lost: MediaStream) => Promise<MediaStream>} reopen */
  reopenBy(reopen) {
    this.#reopen = reopen;
  }

  /** Looks after this one from now on. @param {MediaStream} stream */
  follow(stream) {
    this.#forget();
    this.#stream = stream;
    for (const track of stream.getVideoTracks()) {
      track.addEventListener("ended", () => this.#stream === stream && this.#ended());
    }
  }

  /** Nothing is opened while nobody looks. @param {boolean} resting */
  rest(resting) {
    this.#resting = resting;
    if (resting) this.#clock.clearTimeout(this.#timer);
    else this.check();
  }

  /** The page is seen again: has the camera survived? */
  check() {
    const track = this.#stream?.getVideoTracks()[0];
    if (!track || this.#resting) return;
    if (this.#lost || track.readyState === "ended") return this.#ended();
    if (!track.muted) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => track.muted && this.#isFollowing(track) && this.#ended(), MUTED_MS);
  }

  /** A camera was plugged in, or the person asks. */
  retryNow() {
    if (this.#lost && !this.#resting) this.#ended();
  }

  /** Turns the camera off and ends all attempts. */
  release() {
    this.#forget();
    stopTracks(this.#stream);
    this.#stream = null;
    this.#resting = false;
  }

  #forget() {
    this.#clock.clearTimeout(this.#timer);
    this.#lost = false;
    this.#attempt = 0;
  }

  /** @param {MediaStreamTrack} track */
  #isFollowing(track) {
    return this.#stream?.getVideoTracks()[0] === track && !this.#resting;
  }

  #ended() {
    this.#lost = true;
    this.#attempt = 0;
    if (!this.#resting) this.#wait();
  }

  #wait() {
    this.#clock.clearTimeout(this.#timer);
    const delay = ATTEMPTS_MS[this.#attempt++];
    if (delay !== undefined) this.#timer = this.#clock.setTimeout(() => void this.#tryAgain(), delay);
    else this.#askForHelp();
  }

  #askForHelp() {
    this.#timer = this.#clock.setTimeout(() => this.#listeners.onGone(new TryOnError("camera_lost")), PATIENCE_MS);
    this.#listeners.onWaiting();
  }

  async #tryAgain() {
    const lost = this.#stream;
    if (!lost || this.#opening) return;
    this.#opening = true;
    stopTracks(lost); // a muted one would keep the camera from being opened
    try {
      const stream = await this.#reopen(lost);
      if (this.#stream === lost && this.#lost) this.#listeners.onBack(stream);
      else stopTracks(stream);
    } catch (error) {
      if (this.#stream === lost && this.#lost) this.#failed(asTryOnError(error));
    } finally {
      this.#opening = false;
    }
  }

  /** @param {TryOnError} error */
  #failed(error) {
    if (FINAL.includes(error.code)) this.#listeners.onGone(error);
    else this.#wait();
  }
}

/** @param {MediaStream | null} stream */
export function stopTracks(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
