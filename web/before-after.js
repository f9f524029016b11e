/** Before and after in one picture: the camera's frame beside the painted one, upright and unmirrored, with labels. */

import { say } from "./strings.js";

/** @typedef {{ width: number, height: number }} Size */
/** @typedef {{ x: number, label: string }} Tile */

/**
 * Where everything goes, in pixels of the picture.
 * @param {Size} photo
 */
export function layout({ width, height }) {
  const short = Math.min(width, height);
  const gap = Math.max(2, Math.round(short / 120));
  const font = Math.max(14, Math.round(short / 18));
  /** @type {Tile[]} */
  const tiles = [
    { x: 0, label: say("photo.before") },
    { x: width + gap, label: say("photo.after") },
  ];
  return { size: { width: 2 * width + gap, height }, tiles, font, inset: Math.round(font * 0.8) };
}

/**
 * The part of a frame that a tile of this shape shows: all of it, but for what a different shape cuts off.
 * @param {Size} frame @param {Size} tile
 */
export function covering(frame, tile) {
  const scale = Math.min(frame.width / tile.width, frame.height / tile.height);
  const [width, height] = [tile.width * scale, tile.height * scale];
  return { x: (frame.width - width) / 2, y: (frame.height - height) / 2, width, height };
}

/**
 * @param {ImageBitmap} before @param {Blob} photo
 * @returns {Promise<Blob>} a JPEG
 */
export async function beforeAndAfter(before, photo) {
  const after = await createImageBitmap(photo);
  const { size, tiles, font, inset } = layout(after);
  const canvas = Object.assign(document.createElement("canvas"), size);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fbf5ee";
  context.fillRect(0, 0, size.width, size.height);
  for (const [i, frame] of [before, after].entries()) {
    const { x, y, width, height } = covering(frame, after);
    context.drawImage(frame, x, y, width, height, tiles[i].x, 0, after.width, after.height);
    drawLabel(context, tiles[i], size.height, font, inset);
  }
  after.close();
  return new Promise((resolve, reject) => {
    const done = (/** @type {Blob | null} */ blob) => (blob ? resolve(blob) : reject(new Error("no JPEG")));
    canvas.toBlob(done, "image/jpeg", 0.92);
  });
}

/**
 * @param {CanvasRenderingContext2D} context @param {Tile} tile
 * @param {number} bottom @param {number} font @param {number} inset
 */
function drawLabel(context, { x, label }, bottom, font, inset) {
  context.font = `600 ${font}px system-ui, sans-serif`;
  const [width, height] = [context.measureText(label).width + 1.6 * font, 1.8 * font];
  context.fillStyle = "rgb(24 15 17 / 72%)";
  context.beginPath();
  context.roundRect(x + inset, bottom - inset - height, width, height, height / 2);
  context.fill();
  context.fillStyle = "#fbf5ee";
  context.textBaseline = "middle";
  context.fillText(label, x + inset + 0.8 * font, bottom - inset - height / 2);
}
