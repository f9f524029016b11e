/** How long to wait before the next attempt to reconnect. Pure. */

/** Milliseconds before each attempt, 0.3·n² seconds: at once, then patiently; the last one repeats. */
export const DELAYS = [0, 300, 1200, 2700, 4800, 7000];

/** Share by which a wait may be longer, so that a thousand clients of one lost server do not return in step. */
export const JITTER = 0.25;

/**
 * @param {number} attempt 0 for the first one after the loss
 * @param {() => number} [random] from 0 up to 1
 * @returns {number} milliseconds
 */
export function backoffDelay(attempt, random = Math.random) {
  const base = DELAYS[Math.min(Math.max(0, attempt), DELAYS.length - 1)];
  return Math.round(base * (1 + JITTER * random()));
}
