/** Calls that come faster than they are of use: a handle being dragged, a colour being searched for. */

/** About 15 a second: more than the picture's answer could show. */
const EVERY_MS = 66;

/**
 * Lets a call through at most every `ms`; of those that come too soon, the newest goes when the time is up.
 * @template {unknown[]} A
 * @param {(...args: A) => void} act
 * @param {number} [ms]
 * @param {Pick<import("./session.js").Clock, "setTimeout">} [clock]
 * @returns {(...args: A) => void}
 */
export function throttle(act, ms = EVERY_MS, clock = { setTimeout: (callback, delay) => setTimeout(callback, delay) }) {
  /** @type {A | null} */
  let waiting = null;
  let resting = false;
  /** @param {A} args */
  const run = (args) => {
    resting = true;
    act(...args);
    clock.setTimeout(() => {
      resting = false;
      const next = waiting;
      waiting = null;
      if (next) run(next);
    }, ms);
  };
  return (...args) => {
    if (resting) waiting = args;
    else run(args);
  };
}
