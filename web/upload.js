/** A photo of a manicure on its way to the server: made small, sent, and sent again where the server forgot it. */

import { TryOnError } from "./errors.js";

/** @typedef {import("./api.js").SessionInfo} SessionInfo */

/** Longest side sent, in pixels: the server keeps 1280. */
const SIDE = 1600;

/**
 * The picture upright, as a JPEG of at most SIDE pixels: a phone's photo is ten times as large, and says where it was
 * taken. Raises `bad_image`.
 * @param {Blob} file
 * @returns {Promise<Blob>}
 */
export async function shrink(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch((cause) => {
    throw new TryOnError("bad_image", `the browser cannot read it: ${cause}`, { cause });
  });
  const { width, height } = fitted(bitmap, SIDE);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fff"; // behind tips that were cut out
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ done) => canvas.toBlob(done, "image/jpeg", 0.92));
  if (!blob) throw new TryOnError("bad_image", "the browser could not encode it");
  return blob;
}

/**
 * A size within a square of `side`, never larger than before.
 * @param {{ width: number, height: number }} size @param {number} side
 */
export function fitted({ width, height }, side) {
  const scale = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** The first picture among files that were dropped or pasted. @param {Iterable<File>} files */
export function firstPicture(files) {
  return [...files].find(({ type }) => type.startsWith("image/")) ?? null;
}

/** A photo and its session on the server. */
export class Upload {
  #api;
  #photo;
  /** @type {SessionInfo | null} */
  #unused;

  /** @param {Pick<import("./api.js").Api, "upload" | "end">} api @param {Blob} photo @param {SessionInfo} info */
  constructor(api, photo, info) {
    this.#api = api;
    this.#photo = photo;
    this.#unused = info;
  }

  /** The session that the upload made; later, when that one is over, a new one with the same photo. */
  async session() {
    const info = this.#unused ?? (await this.#api.upload(this.#photo));
    this.#unused = null;
    return info;
  }

  /** Nobody will wear it. */
  discard() {
    const info = this.#unused;
    this.#unused = null;
    if (info) this.#api.end(info).catch(() => {}); // it expires by itself
  }
}
