/** What is said on the socket and the data channel (protocol/messages.py), and one reader for both. */

import { FramingError, isChunk, Reassembler, unpack } from "./framing.js";

/**
 * @typedef {object} Nail
 * @property {number} number from left to right in this frame, from 1
 * @property {string | null} finger null where no hand is known, as in close-ups
 * @property {"left" | "right" | null} hand
 * @property {[number, number][]} polygon pixels of the frame
 * @property {[number, number]} cuticle middle of the cuticle
 * @property {[number, number]} free_edge middle of the free edge
 * @property {number} confidence
 * @property {number} visibility
 *
 * @typedef {object} Metadata
 * @property {"metadata"} type
 * @property {number} frame_number
 * @property {number | null} rtp_timestamp
 * @property {number} width
 * @property {number} height
 * @property {number} hands
 * @property {Nail[]} nails
 * @property {number} confidence
 * @property {number | null} design
 * @property {Record<string, number>} stages milliseconds
 * @property {number | null} captured_at when the camera took the frame, by this browser's `Date.now()`
 * @property {number | null} sent_at when the painted frame left, by the server's clock, Unix milliseconds
 *
 * @typedef {{ type: string, [field: string]: any }} Text  Any text message.
 * @typedef {import("./framing.js").BinaryMessage} BinaryMessage
 *
 * @typedef {object} Settings  The fields of `config` that the page uses.
 * @property {number | null} [design] null: the session's own
 * @property {string | null} [finish]
 * @property {string | null} [shape]
 * @property {string | null} [length]
 * @property {string[] | null} [colours] #RRGGBB, base first
 * @property {Partial<Record<import("./wishes.js").Finger, Partial<import("./wishes.js").FingerWish>>>} [fingers] replaced
 *   as a whole
 * @property {boolean} [paused]
 * @property {string} [quality] "auto", "saver" or "high"
 * @property {number | null} [compare] share of the width, from the left, without polish
 */

/** Turns what a transport receives into whole messages. One per connection. */
export class Inbox {
  #reassembler = new Reassembler();
  #onText;
  #onBinary;

  /** @param {{ onText: (message: Text) => void, onBinary: (message: BinaryMessage) => void }} listeners */
  constructor({ onText, onBinary }) {
    this.#onText = onText;
    this.#onBinary = onBinary;
  }

  /**
   * Takes one message. A broken one is skipped: the next one may be fine.
   * @param {string | ArrayBuffer} data
   */
  push(data) {
    if (typeof data === "string") {
      const message = parseText(data);
      if (message) this.#onText(message);
      return;
    }
    const message = this.#whole(data);
    if (message) this.#onBinary(message);
  }

  /** @param {ArrayBuffer} data */
  #whole(data) {
    try {
      const message = unpack(data);
      return isChunk(message.header) ? this.#reassembler.add(message) : message;
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      console.warn("lacquer: skipped a broken message:", error.message);
      return null;
    }
  }
}

/** @param {string} data @returns {Text | null} */
function parseText(data) {
  try {
    const message = JSON.parse(data);
    return typeof message?.type === "string" ? message : null;
  } catch {
    return null;
  }
}
