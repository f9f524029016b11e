/**
 * Which nail a touch of the picture means. Pure. A thumb is wider than a nail, and the hand moves: the nearest nail
 * within reach is meant.
 */

/** @typedef {import("./compare.js").View} View */
/** @typedef {import("./messages.js").Nail} Nail */
/** @typedef {[number, number]} Point */

/** As far as half a thumb, CSS pixels. */
const REACH = 22;

/**
 * @param {Point} touch CSS pixels from the stage's top left
 * @param {Nail[]} nails @param {View} view `frame` as in the nails' metadata
 * @returns {Nail | null}
 */
export function nailAt(touch, nails, view) {
  const { point, scale } = inFrame(touch, view);
  const distances = nails.map((nail) => ({ nail, distance: distanceTo(nail.polygon, point) }));
  const [nearest] = distances.sort((a, b) => a.distance - b.distance);
  return nearest && nearest.distance * scale <= REACH ? nearest.nail : null;
}

/**
 * The frame covers the stage and is centred in it; a mirror shows its left on the right.
 * @param {Point} touch @param {View} view
 */
function inFrame([left, top], { stage, frame, mirrored }) {
  const scale = Math.max(stage.width / frame.width, stage.height / frame.height);
  const x = (left - stage.width / 2) / scale;
  const y = (top - stage.height / 2) / scale;
  /** @type {Point} */
  const point = [frame.width / 2 + (mirrored ? -x : x), frame.height / 2 + y];
  return { point, scale };
}

/** 0 inside. @param {Point[]} polygon @param {Point} point */
function distanceTo(polygon, point) {
  const sides = polygon.map((corner, i) => /** @type {const} */ ([corner, polygon[(i + 1) % polygon.length]]));
  const crossed = sides.filter(([a, b]) => isCrossed(a, b, point)).length;
  return crossed % 2 === 1 ? 0 : Math.min(...sides.map(([a, b]) => toSide(a, b, point)));
}

/** Whether a ray from the point to the right crosses a side. @param {Point} a @param {Point} b @param {Point} point */
function isCrossed([ax, ay], [bx, by], [x, y]) {
  return ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax);
}

/** @param {Point} a @param {Point} b @param {Point} point */
function toSide([ax, ay], [bx, by], [x, y]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1);
  const at = Math.min(1, Math.max(0, along));
  return Math.hypot(x - ax - at * dx, y - ay - at * dy);
}
