/** What the style sheet offers. Names are those of protocol/designs.py, and keys of the string table. */

import { FINGERS } from "./wishes.js";

/** @typedef {{ value: string | null, label: string, outline?: string }} Option  Null: as the design says; `label` is a key. */

const AS_DESIGNED = "style.as_designed";

/** Ten finishes, from plain to sparkling. @type {Option[]} */
export const FINISHES = [
  { value: null, label: AS_DESIGNED },
  { value: "cream", label: "finish.cream" },
  { value: "gloss", label: "finish.gloss" },
  { value: "matte", label: "finish.matte" },
  { value: "sheer", label: "finish.sheer" },
  { value: "pearl", label: "finish.pearl" },
  { value: "shimmer", label: "finish.shimmer" },
  { value: "metallic", label: "finish.metallic" },
  { value: "chrome", label: "finish.chrome" },
  { value: "cat_eye", label: "finish.cat_eye" },
  { value: "glitter", label: "finish.glitter" },
];

/** Outlines in a box of 24 x 28, the free edge on top; all share the cuticle. */
const CUTICLE = "c0 4-2 6-6 6s-6-2-6-6";

/** @type {Option[]} */
export const SHAPES = [
  { value: null, label: AS_DESIGNED, outline: `M18 19V12C18 8 16 5 12 5S6 8 6 12v7M18 19${CUTICLE}` },
  { value: "natural", label: "shape.natural", outline: `M18 19V11C18 7 16 5 12 5S6 7 6 11v8M18 19${CUTICLE}` },
  { value: "square", label: "shape.square", outline: `M18 19V3H6v16M18 19${CUTICLE}` },
  { value: "squoval", label: "shape.squoval", outline: `M18 19V7c0-2.6-1.4-4-4-4h-4C7.4 3 6 4.4 6 7v12M18 19${CUTICLE}` },
  { value: "round", label: "shape.round", outline: `M18 19V9a6 6 0 0 0-12 0v10M18 19${CUTICLE}` },
  { value: "almond", label: "shape.almond", outline: `M18 19C18 10 15.5 2.5 12 2.5S6 10 6 19M18 19${CUTICLE}` },
  { value: "coffin", label: "shape.coffin", outline: `M18 19 15.5 2.5h-7L6 19M18 19${CUTICLE}` },
  { value: "stiletto", label: "shape.stiletto", outline: `M18 19C17.5 11 14 5 12 1 10 5 6.5 11 6 19M18 19${CUTICLE}` },
];

/** @type {Option[]} */
export const LENGTHS = [
  { value: null, label: AS_DESIGNED },
  { value: "natural", label: "length.natural" },
  { value: "short", label: "length.short" },
  { value: "medium", label: "length.medium" },
  { value: "long", label: "length.long" },
];

/** @type {readonly import("./wishes.js").Scope[]} */
export const SCOPES = ["all", ...FINGERS];
