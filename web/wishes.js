/**
 * What the person wants differently from the design: for all fingers, and for single ones. Pure values; the fields are
 * those of `config` (protocol/messages.py). Null is as the design says, and for a finger as the others.
 */

/** @typedef {"thumb" | "index" | "middle" | "ring" | "pinky"} Finger */
/** @typedef {{ finish: string | null, shape: string | null, length: string | null, colours: string[] | null }} Wish */
/** @typedef {Wish & { nail: number | null }} FingerWish */
/** @typedef {{ all: Wish, fingers: Partial<Record<Finger, FingerWish>> }} Wishes */
/** @typedef {Finger | "all"} Scope  Whom a wish is for. */
/** @typedef {import("./messages.js").Settings} Settings */

/** @type {readonly Finger[]} */
export const FINGERS = ["thumb", "index", "middle", "ring", "pinky"];

/** @type {Wish} */
const NO_WISH = { finish: null, shape: null, length: null, colours: null };

/** @type {Wishes} */
export const NO_WISHES = { all: NO_WISH, fingers: {} };

/**
 * What one finger, or all of them, wish for themselves.
 * @param {Wishes} wishes @param {Scope} scope
 * @returns {Wish}
 */
export function wishOf(wishes, scope) {
  return scope === "all" ? wishes.all : (wishes.fingers[scope] ?? NO_WISH);
}

/**
 * The colours that a finger, or all of them, wear.
 * @param {Wishes} wishes @param {Scope} scope @param {string[]} designs the design's own
 */
export function coloursOf(wishes, scope, designs) {
  return wishOf(wishes, scope).colours ?? wishes.all.colours ?? designs;
}

/**
 * Other wishes, with one of them changed.
 * @param {Wishes} wishes @param {Scope} scope @param {Partial<FingerWish>} change `nail` for single fingers only
 * @returns {Wishes}
 */
export function wish(wishes, scope, change) {
  if (scope === "all") return { ...wishes, all: { ...wishes.all, ...change } };
  const finger = { ...NO_WISH, nail: null, ...wishes.fingers[scope], ...change };
  return { ...wishes, fingers: { ...wishes.fingers, [scope]: finger } };
}

/**
 * A nail of the photo for a finger, or for all of them.
 * @param {Wishes} wishes @param {Scope} scope @param {number} nail its place
 */
export function wishNail(wishes, scope, nail) {
  const fingers = scope === "all" ? FINGERS : [scope];
  return fingers.reduce((changed, finger) => wish(changed, finger, { nail }), wishes);
}

/** Who wears which nail of the photo, and nothing else. @param {Wishes} wishes @returns {Wishes} */
export function onlyNails({ fingers }) {
  const nails = Object.entries(fingers).map(([finger, { nail }]) => [finger, { ...NO_WISH, nail }]);
  return { all: NO_WISH, fingers: Object.fromEntries(nails) };
}

/**
 * One colour changed. Colours in front of it that the design does not have repeat its last one.
 * @param {string[]} colours @param {number} place @param {string} colour
 */
export function recoloured(colours, place, colour) {
  const last = colours.at(-1) ?? colour;
  const length = Math.max(colours.length, place + 1);
  return Array.from({ length }, (_, i) => (i === place ? colour : (colours[i] ?? last)));
}

/** What stays when another design is put on: whoever likes almond nails likes them in blue. @param {Wishes} wishes */
export function forAnotherDesign(wishes) {
  return everywhere(wishes, { finish: null, colours: null });
}

/** Back to the design. Which nail of a photo a finger wears is part of that design. @param {Wishes} wishes */
export function reset(wishes) {
  return everywhere(wishes, NO_WISH);
}

/** What stays when another photo is put on: its nails are others. @param {Wishes} wishes @returns {Wishes} */
export function forAnotherPhoto(wishes) {
  const fingers = Object.entries(wishes.fingers).map(([finger, wish]) => [finger, { ...wish, nail: null }]);
  return forAnotherDesign({ ...wishes, fingers: Object.fromEntries(fingers) });
}

/** Whether something is worn otherwise than the design says. @param {Wishes} wishes */
export function isStyled({ all, fingers }) {
  return [all, ...Object.values(fingers)].some((wish) => fields(wish).some((value) => value !== null));
}

/**
 * The wishes as `config` takes them. Nails are named only where the design worn has some: the server refuses others.
 * @param {Wishes} wishes @param {{ nails: boolean }} design
 * @returns {Settings}
 */
export function configOf({ all, fingers }, { nails }) {
  /** @type {[string, FingerWish][]} */
  const wanted = Object.entries(fingers).map(([finger, wish]) => [finger, nails ? wish : { ...wish, nail: null }]);
  const said = wanted.filter(([, wish]) => wish.nail !== null || fields(wish).some((value) => value !== null));
  return { ...all, fingers: Object.fromEntries(said) };
}

/** @param {Wishes} wishes @param {Partial<Wish>} change @returns {Wishes} */
function everywhere(wishes, change) {
  return FINGERS.filter((finger) => wishes.fingers[finger]).reduce(
    (changed, finger) => wish(changed, finger, change),
    wish(wishes, "all", change),
  );
}

/** @param {Wish} wish */
function fields({ finish, shape, length, colours }) {
  return [finish, shape, length, colours];
}
