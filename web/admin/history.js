/** How many places were taken of late, as a line. In memory, bounded. Pure. */

export const SPAN_MS = 300_000;
const MAX_SAMPLES = 400;

/** @typedef {{ at: number, share: number }} Sample */

export class History {
  /** @type {Sample[]} */
  #samples = [];

  /** @param {number} at ms @param {number} share 0–1 */
  add(at, share) {
    this.#samples.push({ at, share });
    const since = at - SPAN_MS;
    // One older than the span stays: the line comes in from the left edge.
    while (this.#samples.length > MAX_SAMPLES || (this.#samples.length > 1 && this.#samples[1].at < since)) {
      this.#samples.shift();
    }
  }

  /**
   * SVG paths in a box of this size: the line, and the area below it. A sample holds until the next one. The line ends at
   * the right edge, and begins where the page was opened.
   * @param {number} width @param {number} height @param {number} now ms
   */
  paths(width, height, now) {
    if (!this.#samples.length) return { line: "", area: "" };
    const x = (/** @type {number} */ at) => Math.max(0, width * (1 - (now - at) / SPAN_MS)).toFixed(1);
    const y = (/** @type {number} */ share) => (height - 2 - share * (height - 4)).toFixed(1);
    const steps = this.#samples.map(({ at, share }, place) =>
      place ? `H${x(at)}V${y(share)}` : `M${x(at)} ${y(share)}`,
    );
    const line = `${steps.join("")}H${width}`;
    return { line, area: `${line}V${height}H${x(this.#samples[0].at)}Z` };
  }
}
