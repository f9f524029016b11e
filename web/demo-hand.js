/**
 * A hand for people without a camera: drawn on a canvas, moving gently, streamed like a camera.
 *
 * It shows the back of a right hand, fingers up and spread, with bare natural-pink nails, so that the server's hand
 * model finds it and paints it like any other hand. No photo, no download, the same on every machine.
 *
 * Lengths are fractions of the hand's length (wrist to middle finger tip), x right and y down, the wrist at (0, 0).
 */

/** @typedef {{ x: number, y: number }} Point */
/** @typedef {{ x: number, y: number, r: number }} Ball  A joint and the thickness of the flesh around it. */
/** @typedef {{ joints: Ball[], nail: { from: number, to: number, width: number } }} Digit */

/**
 * Where each finger leaves the hand, which way it points (degrees from straight up), and its three bones.
 * Nail numbers are positions along the last bone (0 at its joint, 1 at the finger tip landmark), close to the
 * mean of real hands: the server has to find these nails like anybody else's.
 */
const FINGERS = [
  { name: "index", root: { x: -0.165, y: -0.475 }, angle: -15, bones: [0.2, 0.128, 0.105], r: 0.051, phase: 0.9 },
  { name: "middle", root: { x: -0.042, y: -0.51 }, angle: -3, bones: [0.222, 0.145, 0.108], r: 0.052, phase: 0.3 },
  { name: "ring", root: { x: 0.077, y: -0.485 }, angle: 9, bones: [0.205, 0.136, 0.107], r: 0.050, phase: 2.1 },
  { name: "pinky", root: { x: 0.182, y: -0.425 }, angle: 23, bones: [0.155, 0.094, 0.092], r: 0.043, phase: 1.4 },
];

const SKIN_SHADES = 12;
const SKIN_EDGE = [150, 94, 72];
const SKIN_LIT = [228, 187, 163];

/**
 * The hand's joints at time `t`: fingers breathe a little, nothing more, so that a design can be looked at.
 * @param {number} t seconds
 * @returns {{ digits: Digit[], palm: [Ball, Ball][] }}
 */
export function pose(t) {
  const digits = FINGERS.map((finger) => {
    const sway = 2.2 * Math.sin(t * 0.9 + finger.phase);
    const angle = ((finger.angle * (1 + 0.06 * Math.sin(t * 0.5)) + sway) * Math.PI) / 180;
    const joints = [{ ...finger.root, r: finger.r * 1.1 }];
    const thickness = [1.0, 0.9, 0.8];
    for (const [index, bone] of finger.bones.entries()) {
      const last = joints[joints.length - 1];
      const bend = angle * (1 - 0.1 * index);
      const [x, y] = [last.x + bone * Math.sin(bend), last.y - bone * Math.cos(bend)];
      joints.push({ x, y, r: finger.r * thickness[index] });
    }
    return { joints, nail: { from: 0.55, to: 1.3, width: 0.64 } };
  });
  const open = 0.012 * Math.sin(t * 0.7);
  const thumb = {
    joints: [
      { x: -0.115, y: -0.13, r: 0.085 },
      { x: -0.25, y: -0.285, r: 0.064 },
      { x: -0.33 - open, y: -0.41, r: 0.056 },
      { x: -0.385 - 2 * open, y: -0.525, r: 0.048 },
    ],
    nail: { from: 0.52, to: 1.26, width: 0.56 },
  };
  /** @type {[Ball, Ball][]} */
  const palm = digits.map(({ joints: [root] }) => [
    { x: root.x * 0.42, y: -0.09, r: 0.1 },
    { ...root, r: root.r * 1.14 },
  ]);
  palm.push([{ x: -0.05, y: -0.1, r: 0.105 }, thumb.joints[0]]);
  palm.push([{ x: 0.06, y: 1.1, r: 0.2 }, { x: 0.005, y: -0.03, r: 0.128 }]);
  palm.push([{ x: 0.0, y: -0.06, r: 0.12 }, { x: 0.005, y: -0.36, r: 0.17 }]);
  return { digits: [thumb, ...digits], palm };
}

/**
 * Draws one picture of the moving hand.
 * @param {CanvasRenderingContext2D} context
 * @param {number} t seconds
 */
export function drawHand(context, t) {
  const { width, height } = context.canvas;
  // Upright phones cut the sides off and lay the controls over the bottom: the hand stays clear of both.
  const upright = height > width;
  const scale = upright ? width * 0.65 : height * 0.7;
  const wrist = upright ? 0.66 : 0.87;
  drawBackdrop(context, width, height);
  context.save();
  const middle = upright ? 0.495 : 0.52;
  const sway = { x: 0.02 * Math.sin(t * 0.43), y: 0.012 * Math.sin(t * 0.61) };
  context.translate(width * (middle + sway.x), height * (wrist + sway.y));
  context.rotate(0.06 * Math.sin(t * 0.37));
  const size = scale * (1 + 0.025 * Math.sin(t * 0.29));
  context.scale(size, size);
  const { digits, palm } = pose(t);
  drawSkin(context, digits, palm);
  for (const digit of digits) {
    drawCreases(context, digit.joints);
    drawNail(context, digit);
  }
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {number} width @param {number} height */
function drawBackdrop(context, width, height) {
  const light = context.createRadialGradient(
    width * 0.42, height * 0.34, height * 0.05, width * 0.5, height * 0.5, Math.max(width, height) * 0.75,
  );
  light.addColorStop(0, "#e9e2dc");
  light.addColorStop(0.55, "#c9beb6");
  light.addColorStop(1, "#8f837d");
  context.fillStyle = light;
  context.fillRect(0, 0, width, height);
}

/**
 * All limbs are drawn once per shade, from a dark rim to a lit middle, so that they melt into one body.
 * @param {CanvasRenderingContext2D} context
 * @param {Digit[]} digits
 * @param {[Ball, Ball][]} palm
 */
function drawSkin(context, digits, palm) {
  const limbs = [...palm];
  for (const { joints } of digits) {
    const [root, middle, last, tip] = joints;
    limbs.push([root, middle], [middle, last], [last, fingerEnd(last, tip)]);
  }
  context.save();
  context.shadowColor = "rgb(60 40 34 / 45%)";
  context.shadowBlur = 22;
  context.shadowOffsetX = 10;
  context.shadowOffsetY = 14;
  context.beginPath();
  for (const [a, b] of limbs) capsule(context, a, b, 0);
  context.fillStyle = `rgb(${SKIN_EDGE.join(" ")})`;
  context.fill("nonzero");
  context.restore();
  for (let shade = 1; shade < SKIN_SHADES; shade++) {
    const depth = shade / (SKIN_SHADES - 1);
    const light = Math.sqrt(1 - (1 - depth) ** 2); // a cylinder lit from the front
    context.beginPath();
    for (const [a, b] of limbs) capsule(context, a, b, depth * 0.82);
    context.fillStyle = `rgb(${SKIN_EDGE.map((dark, i) => Math.round(dark + (SKIN_LIT[i] - dark) * light)).join(" ")})`;
    context.fill("nonzero");
  }
}

/**
 * The flesh ends a little past the last landmark, which lies in the finger's pad.
 * @param {Ball} last @param {Ball} tip @returns {Ball}
 */
function fingerEnd(last, tip) {
  return { ...along(last, tip, 0.92), r: tip.r };
}

/**
 * Adds the outline of two balls and the skin between them, shrunk towards the axis and the light (upper left).
 * @param {CanvasRenderingContext2D} context @param {Ball} a @param {Ball} b @param {number} depth 0 rim … 1 axis
 */
function capsule(context, a, b, depth) {
  const [ra, rb] = [a.r * (1 - depth), b.r * (1 - depth)];
  const direction = Math.atan2(b.y - a.y, b.x - a.x);
  const taper = Math.acos(Math.max(-1, Math.min(1, (ra - rb) / Math.hypot(b.x - a.x, b.y - a.y))));
  const shift = (/** @type {Ball} */ { x, y, r }) => ({ x: x - r * depth * 0.22, y: y - r * depth * 0.12 });
  const [from, to] = [shift(a), shift(b)];
  context.moveTo(from.x + ra * Math.cos(direction + taper), from.y + ra * Math.sin(direction + taper));
  context.arc(from.x, from.y, ra, direction + taper, direction - taper + 2 * Math.PI);
  context.arc(to.x, to.y, rb, direction - taper, direction + taper);
  context.closePath();
}

/**
 * The skin folds over the joints. More than anything else they tell the hand model that this is the back of a right
 * hand, not the palm of a left one; without them its certainty falls from 0.9 to 0.6, and polish flickers.
 * @param {CanvasRenderingContext2D} context @param {Ball[]} joints
 */
function drawCreases(context, joints) {
  context.strokeStyle = "rgb(104 54 38 / 50%)";
  context.lineWidth = 0.0045;
  context.lineCap = "round";
  for (const [before, joint] of [[joints[0], joints[1]], [joints[1], joints[2]]]) {
    const direction = Math.atan2(joint.y - before.y, joint.x - before.x);
    for (const offset of [-0.016, 0, 0.014]) {
      const x = joint.x + offset * Math.cos(direction);
      const y = joint.y + offset * Math.sin(direction);
      const half = joint.r * (offset === 0 ? 0.5 : 0.36);
      const bow = 0.008;
      context.beginPath();
      context.moveTo(x - half * Math.sin(direction), y + half * Math.cos(direction));
      context.quadraticCurveTo(
        x - bow * Math.cos(direction), y - bow * Math.sin(direction),
        x + half * Math.sin(direction), y - half * Math.cos(direction),
      );
      context.stroke();
    }
  }
}

/** @param {CanvasRenderingContext2D} context @param {Digit} digit */
function drawNail(context, { joints, nail }) {
  const [last, tip] = joints.slice(-2);
  const bone = Math.hypot(tip.x - last.x, tip.y - last.y);
  const centre = along(last, tip, (nail.from + nail.to) / 2);
  const half = { length: ((nail.to - nail.from) / 2) * bone, width: (nail.width / 2) * bone };
  context.save();
  context.translate(centre.x, centre.y);
  context.rotate(Math.atan2(tip.y - last.y, tip.x - last.x) + Math.PI / 2); // from here on the free edge is up
  const ellipse = (/** @type {number} */ grow) => {
    context.beginPath();
    context.ellipse(0, 0, half.width * grow, half.length * grow, 0, 0, 2 * Math.PI);
  };
  ellipse(1.08);
  context.fillStyle = "rgb(150 86 70 / 50%)";
  context.fill();
  ellipse(1);
  const plate = context.createLinearGradient(0, half.length, 0, -half.length);
  plate.addColorStop(0, "#f0c4b8");
  plate.addColorStop(0.2, "#ea9f98");
  plate.addColorStop(0.78, "#eda89f");
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

/** @param {Point} a @param {Point} b @param {number} t @returns {Point} */
function along(a, b, t) {
  return { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t };
}

/**
 * The hand as a camera stream. Upright screens get an upright picture, as phone cameras give one.
 * @param {{ portrait?: boolean, fps?: number }} [options]
 * @returns {MediaStream} stop its track to stop drawing
 */
export function openDemoHand({ portrait = false, fps = 30 } = {}) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = portrait ? [480, 640] : [640, 480];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
  drawHand(context, 0);
  const stream = canvas.captureStream(fps);
  const [track] = stream.getVideoTracks();
  const started = performance.now();
  // A timer, not requestAnimationFrame: the picture must flow while the page is covered by another window.
  const timer = setInterval(() => {
    if (track.readyState === "ended") clearInterval(timer);
    else drawHand(context, (performance.now() - started) / 1000);
  }, 1000 / fps);
  return stream;
}
