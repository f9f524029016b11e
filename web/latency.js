/**
 * Glass to glass: from the camera's exposure to the painted picture on the screen, both by this browser's clock
 * (protocol/README.md, “Latency”). Pure.
 */

/** Metadata may come after its frame is shown, and earlier: what is newer than this is kept on both sides. */
const KEPT = 32;
/** Frames after which the streams' offset is known. */
const VOTES = 30;

export class Latency {
  /** When the camera took a frame, by its rtp_timestamp. @type {Map<number, number>} */
  #captured = new Map();
  /** When a frame was shown, by the rtpTimestamp that the browser tells. @type {Map<number, number>} */
  #shown = new Map();
  /** How often each difference of the two came. @type {Map<number, number>} */
  #votes = new Map();
  #frames = 0;
  /** @type {number | null} */
  #offset = null;
  /** @type {number[]} */
  #latest = [];

  /** @param {Pick<import("./messages.js").Metadata, "rtp_timestamp" | "captured_at" | "sent_at">} metadata */
  told({ rtp_timestamp: rtp, captured_at: at, sent_at: sent }) {
    if (rtp === null || !at || !sent) return;
    keep(this.#captured, rtp, at);
    if (this.#offset === null) return this.#vote([...this.#shown.keys()].map((shown) => (shown - rtp) >>> 0));
    const shown = this.#shown.get((rtp + this.#offset) >>> 0);
    if (shown !== undefined) this.#add(shown - at);
  }

  /** @param {number} rtp of the frame shown @param {number} at Unix ms */
  shown(rtp, at) {
    keep(this.#shown, rtp, at);
    if (this.#offset === null) {
      this.#vote([...this.#captured.keys()].map((told) => (rtp - told) >>> 0));
      return this.#elect();
    }
    const captured = this.#captured.get((rtp - this.#offset) >>> 0);
    if (captured !== undefined) this.#add(at - captured);
  }

  /** The median of the last second or so; null as long as it is not known. */
  get ms() {
    const sorted = [...this.#latest].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? null;
  }

  /** The one difference that comes again with every frame is the offset. @param {number[]} differences */
  #vote(differences) {
    for (const it of differences) this.#votes.set(it, (this.#votes.get(it) ?? 0) + 1);
  }

  #elect() {
    this.#frames += 1;
    if (this.#frames < VOTES || this.#votes.size === 0) return;
    [[this.#offset]] = [...this.#votes].sort(([, a], [, b]) => b - a); // of two alike, the one seen first
    this.#votes.clear();
  }

  /** @param {number} ms */
  #add(ms) {
    this.#latest = [...this.#latest.slice(1 - VOTES), ms];
  }
}

/** @param {Map<number, number>} map @param {number} key @param {number} value */
function keep(map, key, value) {
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= KEPT) return;
    map.delete(oldest);
  }
}
