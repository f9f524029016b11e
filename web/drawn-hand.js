/**
 * A hand, modelled and lit in the browser: the back of a right hand, fingers up and spread, with bare natural nails, so
 * that the server's hand model finds it and paints it like any other. No photo, no download, the same everywhere.
 *
 * Bones become a map of heights, light from the upper left shades it, folds and nails are drawn on top.
 *
 * Lengths are fractions of the hand's length (wrist to middle finger tip), x right and y down, the wrist at (0, 0).
 */

/** @typedef {{ x: number, y: number, r: number }} Ball  A joint and the thickness of the flesh around it. */
/**
 * @typedef {object} Bone  Flesh between two joints.
 * @property {Ball} a
 * @property {Ball} b
 * @property {number} melt how far around its flesh flows into that of others
 * @property {number} lift how far its axis lies above the palm's
 */

/** Where each finger leaves the hand, its direction (degrees from straight up), the share of that lost at each bone. */
const FINGERS = [
  { root: { x: -0.165, y: -0.475 }, angle: -12.5, curve: 0.2, bones: [0.2, 0.13, 0.108], r: 0.05 },
  { root: { x: -0.054, y: -0.515 }, angle: -4.4, curve: -0.2, bones: [0.222, 0.142, 0.108], r: 0.051 },
  { root: { x: 0.055, y: -0.49 }, angle: 3.6, curve: 0.8, bones: [0.205, 0.132, 0.106], r: 0.049 },
  { root: { x: 0.17, y: -0.425 }, angle: 20.5, curve: -0.08, bones: [0.157, 0.1, 0.104], r: 0.043 },
];

/** @type {Ball[]} */
const THUMB = [
  { x: -0.1, y: -0.12, r: 0.09 },
  { x: -0.245, y: -0.28, r: 0.062 },
  { x: -0.33, y: -0.405, r: 0.052 },
  { x: -0.395, y: -0.518, r: 0.043 },
];

/**
 * Thumb to pinky: the nail's middle along the last bone and beside it, length and width. They lie where the server's
 * outlines fall on this hand (media_worker/vision/nails.py), a little smaller: the polish leaves no rim of bare nail.
 */
const NAILS = [
  { along: 0.88, beside: 0, length: 0.068, width: 0.043 },
  { along: 0.85, beside: 0.002, length: 0.043, width: 0.037 },
  { along: 0.79, beside: -0.005, length: 0.049, width: 0.04 },
  { along: 0.76, beside: -0.009, length: 0.056, width: 0.043 },
  { along: 0.96, beside: 0.005, length: 0.05, width: 0.037 },
];

/** Half the thickness of the hand: wider parts, such as the palm, are flat. */
const THICKEST = 0.055;

/** The part of the hand's plane that is modelled, down to where the arm leaves every picture. */
export const FRAME = { left: -0.62, top: -1.12, width: 1.14, height: 1.95 };
/** Pixels per length of the hand in the model; the stream shows it at 310 to 340. */
const DETAIL = 420;

const SKIN = { shade: [158, 92, 74], middle: [222, 170, 146], light: [247, 218, 200] };
const LIGHT = normal([-0.46, -0.6, 0.66]);

/** @returns {{ bones: Bone[], digits: Ball[][] }} */
function anatomy() {
  const fingers = FINGERS.map(({ root, angle, curve, bones, r }) => {
    const joints = [{ ...root, r: r * 1.12 }];
    for (const [index, bone] of bones.entries()) {
      const last = joints[joints.length - 1];
      const bend = (angle * (1 - curve * index) * Math.PI) / 180;
      const [x, y] = [last.x + bone * Math.sin(bend), last.y - bone * Math.cos(bend)];
      joints.push({ x, y, r: r * [1, 0.86, 0.62][index] });
    }
    return joints;
  });
  const digits = [THUMB, ...fingers];
  /** @type {Bone[]} */
  const bones = [];
  const add = (/** @type {Ball} */ a, /** @type {Ball} */ b, melt = 0.06, lift = 0) => bones.push({ a, b, melt, lift });
  add({ x: 0.03, y: 1.3, r: 0.21 }, { x: 0.0, y: 0.02, r: 0.112 });
  add({ x: 0.0, y: -0.02, r: 0.105 }, { x: 0.005, y: -0.34, r: 0.19 });
  for (const [root] of fingers) {
    add({ x: root.x * 0.4, y: -0.08, r: 0.07 }, { ...root, r: root.r * 1.12 }, 0.03);
    add({ x: root.x * 0.35, y: -0.1, r: 0.012 }, { ...root, r: 0.03 }, 0.03, 0.03); // the tendon, up to the knuckle
  }
  add({ x: -0.02, y: -0.04, r: 0.095 }, THUMB[0]);
  add({ ...THUMB[1], r: 0.055 }, { x: -0.13, y: -0.36, r: 0.06 }, 0.06, -0.02); // the web between thumb and index
  for (const [root, middle, last, tip] of digits) {
    add(root, middle, 0.012);
    add(middle, last, 0.008);
    add(last, { ...between(last, tip, 0.9), r: tip.r }, 0.008);
  }
  return { bones, digits };
}

// --- modelling: heights above the picture's plane, and where there is hand at all -----------------------------------

/** @typedef {Record<"heights" | "edge" | "blush", Float32Array> & { width: number, height: number }} Model */

/** @returns {Model} heights and signed distances in lengths of the hand */
function model() {
  const width = Math.round(FRAME.width * DETAIL);
  const height = Math.round(FRAME.height * DETAIL);
  const [heights, edge, blush] = [-0.1, 1, 0].map((value) => new Float32Array(width * height).fill(value));
  const result = { width, height, heights, edge, blush };
  const { bones, digits } = anatomy();
  for (const bone of bones) raise(result, bone);
  for (let i = 0; i < heights.length; i++) heights[i] = Math.max(heights[i], -0.02);
  soften(heights, width, height);
  for (const [index, [root, middle, last, tip]] of digits.entries()) {
    redden(result, tip, 0.05, 0.55);
    redden(result, last, 0.04, 0.35);
    redden(result, middle, 0.05, 0.6);
    if (index > 0) redden(result, root, 0.055, 0.45); // the knuckles; the thumb's lies deep
  }
  return result;
}

/** Adds one bone's flesh: half a circle in cross-section. @param {Model} target @param {Bone} bone */
function raise({ width, height, heights, edge }, { a, b, melt, lift }) {
  const reach = Math.max(a.r, b.r) + melt;
  const [left, right] = columns(Math.min(a.x, b.x) - reach, Math.max(a.x, b.x) + reach, width);
  const [top, bottom] = rows(Math.min(a.y, b.y) - reach, Math.max(a.y, b.y) + reach, height);
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const square = dx * dx + dy * dy;
  for (let row = top; row < bottom; row++) {
    const y = FRAME.top + (row + 0.5) / DETAIL - a.y;
    for (let column = left; column < right; column++) {
      const x = FRAME.left + (column + 0.5) / DETAIL - a.x;
      const t = Math.max(0, Math.min(1, (x * dx + y * dy) / square));
      const r = a.r + (b.r - a.r) * t;
      const distance = Math.hypot(x - t * dx, y - t * dy);
      const at = row * width + column;
      edge[at] = smoothMin(edge[at], distance - r, melt);
      if (distance >= r) continue;
      const off = distance / r;
      const thick = Math.min(r, THICKEST);
      const rise = lift + thick * Math.sqrt(1 - off ** (r > THICKEST ? 3 : 2));
      heights[at] = -smoothMin(-heights[at], -rise, 0.012);
    }
  }
}

/** Blood near the surface. @param {Model} target @param {Ball} at @param {number} size @param {number} amount */
function redden({ width, height, blush }, at, size, amount) {
  const [left, right] = columns(at.x - 2.2 * size, at.x + 2.2 * size, width);
  const [top, bottom] = rows(at.y - 2.2 * size, at.y + 2.2 * size, height);
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const x = (FRAME.left + (column + 0.5) / DETAIL - at.x) / size;
      const y = (FRAME.top + (row + 0.5) / DETAIL - at.y) / size;
      blush[row * width + column] += amount * Math.exp(-x * x - y * y);
    }
  }
}

/**
 * Three box blurs, which are nearly a Gaussian.
 * @param {Float32Array} field @param {number} width @param {number} height
 */
function soften(field, width, height) {
  const radius = 3;
  const line = new Float32Array(Math.max(width, height));
  const pass = (/** @type {number} */ start, /** @type {number} */ step, /** @type {number} */ count) => {
    for (let i = 0; i < count; i++) line[i] = field[start + i * step];
    let sum = 0;
    for (let i = -radius; i <= radius; i++) sum += line[Math.max(0, i)];
    for (let i = 0; i < count; i++) {
      field[start + i * step] = sum / (2 * radius + 1);
      sum += line[Math.min(count - 1, i + radius + 1)] - line[Math.max(0, i - radius)];
    }
  };
  for (let time = 0; time < 3; time++) {
    for (let row = 0; row < height; row++) pass(row * width, 1, width);
    for (let column = 0; column < width; column++) pass(column, width, height);
  }
}

// --- lighting -------------------------------------------------------------------------------------------------------

/** The model in soft light from the upper left. @returns {HTMLCanvasElement} */
function lit() {
  const { width, height, heights, edge, blush } = model();
  const { canvas, context } = createCanvas(width, height);
  const picture = context.createImageData(width, height);
  for (let row = 1; row < height - 1; row++) {
    for (let column = 1; column < width - 1; column++) {
      const at = row * width + column;
      const cover = 0.5 - edge[at] * DETAIL;
      if (cover <= 0) continue;
      const slopeX = ((heights[at + 1] - heights[at - 1]) * DETAIL) / 2;
      const slopeY = ((heights[at + width] - heights[at - width]) * DETAIL) / 2;
      const up = 1 / Math.sqrt(1 + slopeX * slopeX + slopeY * slopeY);
      const facing = (LIGHT[2] - slopeX * LIGHT[0] - slopeY * LIGHT[1]) * up;
      const light = Math.max(0, Math.min(1, 0.16 + 0.72 * (0.5 + 0.5 * facing) + 0.16 * up));
      const warm = Math.min(1, blush[at]);
      for (let k = 0; k < 3; k++) picture.data[at * 4 + k] = tone(light, k) * (1 - warm * [0, 0.1, 0.09][k]);
      picture.data[at * 4 + 3] = 255 * Math.min(1, cover);
    }
  }
  context.putImageData(picture, 0, 0);
  return canvas;
}

/**
 * Skin of a brightness 0–1: light goes into it and comes out red, so shade is warm.
 * @param {number} light @param {number} k red, green or blue
 */
function tone(light, k) {
  const { shade, middle, light: bright } = SKIN;
  const low = Math.min(1, light / 0.68);
  const high = Math.max(0, (light - 0.68) / 0.32);
  return shade[k] + (middle[k] - shade[k]) * low + (bright[k] - middle[k]) * high;
}

/**
 * The finished hand with its nails and its shadow, on nothing: FRAME of the hand's plane. Takes 50 to 250 ms.
 * @returns {HTMLCanvasElement}
 */
export function portray() {
  const skin = lit();
  const hand = createCanvas(skin.width, skin.height);
  hand.context.drawImage(skin, 0, 0);
  hand.context.scale(DETAIL, DETAIL);
  hand.context.translate(-FRAME.left, -FRAME.top);
  for (const [index, joints] of anatomy().digits.entries()) {
    drawFolds(hand.context, joints);
    drawNail(hand.context, joints, NAILS[index]);
  }
  const whole = createCanvas(skin.width, skin.height);
  whole.context.shadowColor = "rgb(72 46 36 / 42%)";
  whole.context.shadowBlur = 46;
  whole.context.shadowOffsetX = 16;
  whole.context.shadowOffsetY = 22;
  whole.context.drawImage(hand.canvas, 0, 0);
  return whole.canvas;
}

/**
 * The skin folds over the joints. More than anything else they tell the hand model that this is the back of a right
 * hand, not the palm of a left one.
 * @param {CanvasRenderingContext2D} context @param {Ball[]} joints
 */
function drawFolds(context, [root, middle, last, tip]) {
  context.lineCap = "round";
  for (const [before, joint, after, folds] of /** @type {[Ball, Ball, Ball, number[]][]} */ ([
    [root, middle, last, [-0.015, -0.001, 0.013]],
    [middle, last, tip, [-0.005, 0.005]],
  ])) {
    context.save();
    context.translate(joint.x, joint.y);
    context.rotate(Math.atan2(after.y - before.y, after.x - before.x) + Math.PI / 2);
    for (const [index, y] of folds.entries()) {
      const half = joint.r * (index === 1 ? 0.66 : 0.5);
      const bow = 0.005 + 0.002 * index;
      for (const [width, alpha] of [[0.012, 10], [0.004, 20]]) {
        context.beginPath();
        context.moveTo(-half, y + bow);
        context.quadraticCurveTo(half * 0.1 * (index - 1), y - bow, half, y + bow * 0.7);
        context.lineWidth = width;
        context.strokeStyle = `rgb(128 62 44 / ${alpha}%)`;
        context.stroke();
      }
    }
    context.restore();
  }
}

/** @param {CanvasRenderingContext2D} context @param {Ball[]} joints @param {typeof NAILS[0]} nail */
function drawNail(context, [, , last, tip], { along, beside, length, width }) {
  const half = { length: length / 2, width: width / 2 };
  const { x, y } = between(last, tip, along);
  context.save();
  context.translate(x, y);
  context.rotate(Math.atan2(tip.y - last.y, tip.x - last.x) + Math.PI / 2); // from here on the free edge is up
  context.translate(beside, 0);
  const ellipse = (/** @type {number} */ grow) => {
    context.beginPath();
    context.ellipse(0, 0, half.width * grow, half.length * grow, 0, 0, 2 * Math.PI);
  };
  ellipse(1.08);
  context.fillStyle = "rgb(150 86 70 / 30%)";
  context.fill();
  ellipse(1);
  const plate = context.createLinearGradient(0, half.length, 0, -half.length);
  plate.addColorStop(0, "#f3cfc4");
  plate.addColorStop(0.2, "#eeb0a6");
  plate.addColorStop(0.78, "#f0b7ad");
  plate.addColorStop(0.86, "#f7dcd2");
  plate.addColorStop(1, "#f9e9e0");
  context.fillStyle = plate;
  context.fill();
  context.beginPath();
  context.ellipse(-half.width * 0.3, -half.length * 0.05, half.width * 0.17, half.length * 0.55, 0, 0, 2 * Math.PI);
  context.fillStyle = "rgb(255 255 255 / 38%)";
  context.fill();
  context.restore();
}

// --- small things ---------------------------------------------------------------------------------------------------

/** @param {number} width @param {number} height */
export function createCanvas(width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  return { canvas, context: /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")) };
}

/** Pixel columns of the model between two x. @param {number} from @param {number} to @param {number} width */
function columns(from, to, width) {
  return [from, to].map((x) => Math.max(0, Math.min(width, Math.round((x - FRAME.left) * DETAIL))));
}

/** Pixel rows of the model between two y. @param {number} from @param {number} to @param {number} height */
function rows(from, to, height) {
  return [from, to].map((y) => Math.max(0, Math.min(height, Math.round((y - FRAME.top) * DETAIL))));
}

/**
 * The smaller one, rounded where both are alike: flesh has no sharp inner corners.
 * @param {number} a @param {number} b @param {number} k how far around
 */
function smoothMin(a, b, k) {
  const near = Math.max(0, 1 - Math.abs(a - b) / k);
  return Math.min(a, b) - (near * near * k) / 4;
}

/** @param {{ x: number, y: number }} a @param {{ x: number, y: number }} b @param {number} t */
function between(a, b, t) {
  return { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t };
}

/** @param {number[]} vector */
function normal(vector) {
  const length = Math.hypot(...vector);
  return vector.map((part) => part / length);
}
