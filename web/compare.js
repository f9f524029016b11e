/**
 * Where the picture is split into bare and painted: from the handle over the picture to the server's share of the frame.
 *
 * The frame covers the stage (`object-fit: cover`), so its edges may lie outside; a front camera shows mirrored. The
 * server leaves the *frame's* left bare, which a mirror shows on the right.
 */

import { say, sayShare } from "./strings.js";

/** @typedef {{ width: number, height: number }} Size */
/** @typedef {{ stage: Size, frame: Size, mirrored: boolean }} View */

/**
 * `config.compare`, 0–1 of the frame's width from its left.
 * @param {number} handle 0–1 of the stage's width from its left
 * @param {View} view
 */
export function frameShare(handle, { stage, frame, mirrored }) {
  const scale = Math.max(stage.width / frame.width, stage.height / frame.height);
  const shown = frame.width * scale;
  const x = (handle * stage.width + (shown - stage.width) / 2) / shown;
  return Math.min(1, Math.max(0, mirrored ? 1 - x : x));
}

/**
 * What the handle says aloud.
 * @param {number} handle @param {boolean} mirrored
 */
export function splitWords(handle, mirrored) {
  return say("compare.share", { share: sayShare(mirrored ? 1 - handle : handle) });
}
