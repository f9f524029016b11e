/** What the style sheet offers. Names are those of protocol/designs.py; words are for people. */

/** @typedef {{ value: string | null, label: string, outline?: string }} Option  Null: as the design says. */

export const AS_DESIGNED = "As designed";
/** What it means for a single finger. */
export const LIKE_THE_OTHERS = "Like the others";

/** Ten finishes, from plain to sparkling. @type {Option[]} */
export const FINISHES = [
  { value: null, label: AS_DESIGNED },
  { value: "cream", label: "Cream" },
  { value: "gloss", label: "Gel" },
  { value: "matte", label: "Matte" },
  { value: "sheer", label: "Jelly" },
  { value: "pearl", label: "Pearl" },
  { value: "shimmer", label: "Shimmer" },
  { value: "metallic", label: "Metallic" },
  { value: "chrome", label: "Chrome" },
  { value: "cat_eye", label: "Cat eye" },
  { value: "glitter", label: "Glitter" },
];

/** Outlines in a box of 24 x 28, the free edge on top; all share the cuticle. */
const CUTICLE = "c0 4-2 6-6 6s-6-2-6-6";

/** @type {Option[]} */
export const SHAPES = [
  { value: null, label: AS_DESIGNED, outline: `M18 19V12C18 8 16 5 12 5S6 8 6 12v7M18 19${CUTICLE}` },
  { value: "natural", label: "Natural", outline: `M18 19V11C18 7 16 5 12 5S6 7 6 11v8M18 19${CUTICLE}` },
  { value: "square", label: "Square", outline: `M18 19V3H6v16M18 19${CUTICLE}` },
  { value: "squoval", label: "Squoval", outline: `M18 19V7c0-2.6-1.4-4-4-4h-4C7.4 3 6 4.4 6 7v12M18 19${CUTICLE}` },
  { value: "round", label: "Round", outline: `M18 19V9a6 6 0 0 0-12 0v10M18 19${CUTICLE}` },
  { value: "almond", label: "Almond", outline: `M18 19C18 10 15.5 2.5 12 2.5S6 10 6 19M18 19${CUTICLE}` },
  { value: "coffin", label: "Coffin", outline: `M18 19 15.5 2.5h-7L6 19M18 19${CUTICLE}` },
  { value: "stiletto", label: "Stiletto", outline: `M18 19C17.5 11 14 5 12 1 10 5 6.5 11 6 19M18 19${CUTICLE}` },
];

/** @type {Option[]} */
export const LENGTHS = [
  { value: null, label: AS_DESIGNED },
  { value: "natural", label: "Natural" },
  { value: "short", label: "Short" },
  { value: "medium", label: "Medium" },
  { value: "long", label: "Long" },
];

/** @type {{ value: import("./wishes.js").Scope, label: string }[]} */
export const SCOPES = [
  { value: "all", label: "All fingers" },
  { value: "thumb", label: "Thumb" },
  { value: "index", label: "Index" },
  { value: "middle", label: "Middle" },
  { value: "ring", label: "Ring" },
  { value: "pinky", label: "Pinky" },
];

export const COLOUR_NAMES = ["Base", "Accent", "Third", "Fourth", "Fifth"];
