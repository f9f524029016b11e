/**
 * A hand for people without a camera: drawn once (drawn-hand.js), then moved gently and streamed like a camera.
 */

import { createCanvas, FRAME, portray } from "./drawn-hand.js";

/** A wall in the same light. @param {number} width @param {number} height @returns {HTMLCanvasElement} */
function wall(width, height) {
  const { canvas, context } = createCanvas(width, height);
  const light = context.createRadialGradient(
    width * 0.36, height * 0.26, height * 0.05, width * 0.5, height * 0.5, Math.max(width, height) * 0.78,
  );
  light.addColorStop(0, "#ddd3cb");
  light.addColorStop(0.5, "#c3b6ad");
  light.addColorStop(1, "#94867d");
  context.fillStyle = light;
  context.fillRect(0, 0, width, height);
  return canvas;
}

/**
 * Where the hand is at a time: it sways and turns a little, so that light and polish move with it.
 * @param {number} t seconds @param {number} width @param {number} height of the picture
 * @returns {DOMMatrix} from lengths of the hand to pixels
 */
export function pose(t, width, height) {
  // Upright phones cut the sides off and lay the controls over the bottom: the hand stays clear of both.
  const upright = height > width;
  const size = (upright ? width * 0.63 : height * 0.7) * (1 + 0.02 * Math.sin(t * 0.29));
  const x = width * ((upright ? 0.515 : 0.53) + 0.018 * Math.sin(t * 0.43));
  const y = height * ((upright ? 0.66 : 0.87) + 0.012 * Math.sin(t * 0.61));
  const turn = 0.97 + 0.03 * Math.cos(t * 0.53); // about the arm, away from the camera and back
  return new DOMMatrix()
    .translate(x, y)
    .rotate(3.2 * Math.sin(t * 0.37))
    .scale(size * turn, size)
    .skewX(1.6 * Math.sin(t * 0.47));
}

/**
 * Models the hand, once, and returns what draws it.
 * @param {number} width @param {number} height of the picture
 * @returns {(context: CanvasRenderingContext2D, t: number) => void} `t` in seconds
 */
export function painter(width, height) {
  const background = wall(width, height);
  const hand = portray();
  return (context, t) => {
    context.resetTransform();
    context.drawImage(background, 0, 0);
    context.setTransform(pose(t, width, height));
    context.drawImage(hand, FRAME.left, FRAME.top, FRAME.width, FRAME.height);
    context.resetTransform();
  };
}

/**
 * The hand as a camera stream. Upright screens get an upright picture, as phone cameras give one.
 * @param {{ portrait?: boolean, fps?: number, videoRange?: boolean }} [options] `videoRange` for a WebRTC track:
 *   where the browser would send the canvas in full range, its colours are drawn so that they arrive as they are
 * @returns {MediaStream} stop its track to stop drawing
 */
export function openDemoHand({ portrait = false, fps = 30, videoRange = false } = {}) {
  const [width, height] = portrait ? [480, 640] : [640, 480];
  const { canvas, context } = createCanvas(width, height);
  const paint = painter(width, height);
  paint(context, 0);
  const stream = canvas.captureStream(fps);
  const [track] = stream.getVideoTracks();
  let squeeze = false;
  if (videoRange) void isFullRange(track).then((full) => (squeeze = full));
  const started = performance.now();
  // A timer, not requestAnimationFrame: the picture must flow while the page is covered by another window.
  const timer = setInterval(() => {
    if (track.readyState === "ended") return clearInterval(timer);
    paint(context, (performance.now() - started) / 1000);
    if (!squeeze) return undefined;
    context.fillStyle = VIDEO_RANGE;
    return context.fillRect(0, 0, width, height);
  }, 1000 / fps);
  return stream;
}

/** Laid over a picture it maps 0–255 to 16–235: c · 219/255 + 16. */
const VIDEO_RANGE = `rgb(113 113 113 / ${36 / 255})`;

/**
 * Whether Chromium encodes this canvas track in full range (it does with software canvases, not with those on a GPU).
 * It says so in an RTP extension that the server does not read, so light and dark would come back exaggerated.
 * @param {MediaStreamTrack} track @returns {Promise<boolean>} false in browsers that do not tell: they send video range
 */
async function isFullRange(track) {
  const Processor = /** @type {any} */ (globalThis).MediaStreamTrackProcessor;
  if (!Processor) return false;
  const reader = new Processor({ track }).readable.getReader();
  const { value: frame } = await reader.read();
  const full = frame?.colorSpace.fullRange === true;
  frame?.close();
  await reader.cancel();
  return full;
}
