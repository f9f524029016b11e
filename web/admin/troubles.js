/** Errors of several signaling processes: behind a balancer, each look may be answered by another one. Pure. */

/** @typedef {import("./client.js").Trouble} Trouble */

const MAX_PROCESSES = 16;

export class Troubles {
  /** @type {Map<string, Trouble[]>} by process, as it said last */
  #seen = new Map();

  /** @param {{ process: string, errors: Trouble[] }} answer */
  add({ process, errors }) {
    this.#seen.delete(process);
    this.#seen.set(process, errors);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MAX_PROCESSES) this.#seen.delete(oldest);
  }

  get processes() {
    return [...this.#seen.keys()].sort();
  }

  /** Newest first, each with the process that it is of. @param {number} limit */
  newest(limit) {
    const all = [...this.#seen].flatMap(([process, errors]) => errors.map((error) => ({ ...error, process })));
    return all.sort((one, other) => Date.parse(other.last_at) - Date.parse(one.last_at)).slice(0, limit);
  }
}
