/**
 * A colour in words: #B3001B is “red”. Pure, and in the ids of the string table (`colour.red`). Judged in OKLCH, whose lightness and hue are
 * those that eyes see (B. Ottosson, https://bottosson.github.io/posts/oklab/).
 */

import { say } from "./strings.js";

/** @typedef {{ light: number, chroma: number, hue: number }} Oklch  Lightness 0–1, hue in degrees. */

/**
 * Hues of lively colours, up to a hue each; the circle closes at red.
 * @type {[number, string[]][]}
 */
const HUES = [
  [12, ["pink"]],
  [42, ["red"]],
  [73, ["orange"]],
  [112, ["yellow"]],
  [172, ["green"]],
  [220, ["turquoise", "teal", "blue", "green"]],
  [278, ["blue"]],
  [325, ["purple", "violet", "lilac"]],
  [360, ["pink"]],
];

/** Colours that are what they are, dark or light. */
const TONELESS = ["white", "black", "nude", "gold", "coral", "plum", "burgundy", "navy", "brown"];

/** Below this there is no colour to speak of. */
const GREY = 0.022;

/** What it is called: “dark green”. @param {string} colour #RRGGBB */
export function colourName(colour) {
  const words = colourWords(colour);
  const name = words.find((word) => !TONES.includes(word)) ?? "grey";
  const [tone] = words;
  const plain = TONELESS.includes(name) || (tone !== "dark" && tone !== "light");
  return plain ? say(`colour.${name}`) : say(`tone.${tone}`, { colour: say(`colour.${name}`) });
}

const TONES = ["dark", "light", "pastel"];

/**
 * What people look for it with, the word for it first but for its tone.
 * @param {string} colour #RRGGBB
 * @returns {string[]}
 */
export function colourWords(colour) {
  const { light, chroma, hue } = oklch(colour);
  if (light > 0.92 && chroma < GREY) return ["white"];
  if (light < 0.24) return ["black", "dark", ...(chroma < 2 * GREY ? [] : ofHue({ light, chroma, hue }))];
  const tone = light < 0.45 ? ["dark"] : light > 0.84 ? ["light", "pastel"] : [];
  if (chroma < GREY) return [...tone, "grey", "gray", ...(light > 0.6 ? ["silver"] : [])];
  return [...tone, ...ofHue({ light, chroma, hue })];
}

/** @param {Oklch} colour @returns {string[]} */
function ofHue({ light, chroma, hue }) {
  const warm = hue > 8 && hue < 92;
  if (warm && light > 0.72 && chroma < 0.075) return ["nude", "beige", ...(hue < 50 ? ["pink"] : [])];
  if (hue > 36 && warm && light < 0.62 && chroma < 0.13) return ["brown"];
  if (hue > 60 && hue < 95 && light < 0.82 && chroma < 0.14) return ["gold"];
  if (hue > 20 && hue <= 42 && light > 0.66 && chroma > 0.13) return ["coral", "orange"];
  const isRose = (hue <= 42 || hue > 340) && light > 0.6;
  if (isRose) return ["pink", "rose"];
  if (hue > 330 && light < 0.42) return ["plum", "purple"];
  if (hue <= 42 && light < 0.42) return ["burgundy", "red", "wine"];
  if (hue > 230 && hue < 290 && light < 0.42) return ["navy", "blue"];
  return HUES.find(([end]) => hue <= end)?.[1] ?? [];
}

/** @param {string} colour #RRGGBB @returns {Oklch} */
export function oklch(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => linear(parseInt(colour.slice(at, at + 2), 16) / 255));
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  const x = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
  const y = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
  const light = 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s;
  return { light, chroma: Math.hypot(x, y), hue: ((Math.atan2(y, x) * 180) / Math.PI + 360) % 360 };
}

/** sRGB's transfer curve (IEC 61966-2-1). @param {number} value 0–1 */
function linear(value) {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}
