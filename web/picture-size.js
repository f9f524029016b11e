/**
 * How large single pictures may be, so that enough of them get through. Pure.
 *
 * A picture of 640x480 has 30–50 KB where the link carries that ten times a second; on slower links it has less, first
 * by quality, then by size: a hand that moves says more than one that is sharp. It grows again when there is room.
 */

/** Bytes. */
export const LARGEST = 50_000;
const SMALLEST = 5_000;
const START = 40_000;
const SAVER = 18_000;

/** Pictures a second that a link is worth fewer bytes for, and with which it may have more again. */
export const SLOW_FPS = 10;
const FLUENT_FPS = 13;
const SHRINK = 0.75;
const GROW = 1.12;

/** Quality for the canvas: what is wished, and its bounds. */
const QUALITY = 0.75;
const [LOWEST, HIGHEST] = [0.3, 0.9];
const STEP = 0.04;
/** Below the lowest quality, the sides shrink. */
const SCALES = [1, 0.75, 0.5];

export class PictureSize {
  /** For `toBlob`, 0–1. */
  quality = QUALITY;
  #budget = START;
  #saver = false;
  #scale = 0;

  /** Of the camera's sides. */
  get scale() {
    return SCALES[this.#scale];
  }

  /** Bytes that a picture may have now. */
  get budget() {
    return this.#saver ? Math.min(SAVER, this.#budget) : this.#budget;
  }

  /** @param {string} quality "auto", "saver" or "high" */
  wish(quality) {
    this.#saver = quality === "saver";
  }

  /** A picture has so many bytes: the next one shall come nearer to what it may have. @param {number} bytes */
  encoded(bytes) {
    const { budget } = this;
    if (bytes > budget) this.#smaller(bytes > 1.5 * budget ? 2 * STEP : STEP);
    else if (bytes < (this.#scale > 0 ? 0.8 : 0.6) * budget) this.#larger();
  }

  /**
   * Once a second.
   * @param {number} fps that came back
   * @param {boolean} linkIsSlow whether most of a round trip was spent on the way
   */
  came(fps, linkIsSlow) {
    if (fps < SLOW_FPS && linkIsSlow) this.#budget = Math.max(SMALLEST, this.#budget * SHRINK);
    else if (fps >= FLUENT_FPS) this.#budget = Math.min(LARGEST, this.#budget * GROW);
  }

  /** @param {number} step */
  #smaller(step) {
    if (this.quality > LOWEST) this.quality = Math.max(LOWEST, this.quality - step);
    else if (this.#scale < SCALES.length - 1) [this.#scale, this.quality] = [this.#scale + 1, (LOWEST + QUALITY) / 2];
  }

  #larger() {
    if (this.#scale > 0 && this.quality >= QUALITY) [this.#scale, this.quality] = [this.#scale - 1, LOWEST + STEP];
    else this.quality = Math.min(HIGHEST, this.quality + STEP);
  }
}
