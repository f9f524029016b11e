/** What became of the people of a worker that this page drained. Pure. */

/** @typedef {import("./client.js").Worker} Worker */
/** @typedef {import("./client.js").Session} Session */
/**
 * @typedef {object} Outcome
 * @property {"emptying" | "empty" | "gone"} state gone: the worker is no longer there
 * @property {number} left people that are still on it
 * @property {number} moved sessions that another worker holds by now
 * @property {number} over sessions that have ended
 * @property {number} homeless sessions that no worker holds
 * @property {number} seconds since it began, until it was empty
 */

/** @typedef {{ began: number, people: string[], emptyAt: number | null, outcome: Outcome }} Drain */

/** How many are remembered. */
const KEPT = 100;

export class Drains {
  /** @type {Map<string, Drain>} by worker */
  #drains = new Map();

  /** @param {string} worker @param {Session[]} sessions as they are before @param {number} now ms */
  begin(worker, sessions, now) {
    const here = sessions.filter((session) => session.worker === worker && session.connections);
    const people = here.map((session) => session.session_id);
    const outcome = { state: /** @type {const} */ ("emptying"), left: people.length, moved: 0, over: 0, homeless: 0, seconds: 0 };
    this.#drains.delete(worker);
    this.#drains.set(worker, { began: now, people, emptyAt: null, outcome });
    const [oldest] = this.#drains.keys();
    if (this.#drains.size > KEPT) this.#drains.delete(oldest);
  }

  /** People are let in again. @param {string} worker */
  forget(worker) {
    this.#drains.delete(worker);
  }

  /** @param {Worker[]} workers @param {Session[]} sessions @param {number} now ms */
  look(workers, sessions, now) {
    const homes = new Map(sessions.map((session) => [session.session_id, session.worker]));
    for (const [id, drain] of this.#drains) {
      const worker = workers.find((each) => each.id === id && each.live);
      if (worker && !worker.draining && now - drain.began > 5000) {
        this.#drains.delete(id); // somebody else let people in again
        continue;
      }
      const left = worker?.load ?? 0;
      if (left === 0) drain.emptyAt ??= now;
      // Until another worker takes a session in, the router names the one that had it last.
      const isHomeless = (/** @type {string} */ person) =>
        homes.has(person) && (homes.get(person) === null || (left === 0 && homes.get(person) === id));
      drain.outcome = {
        state: worker ? (left ? "emptying" : "empty") : "gone",
        left,
        moved: drain.people.filter((person) => (homes.get(person) ?? id) !== id).length,
        over: drain.people.filter((person) => !homes.has(person)).length,
        homeless: drain.people.filter(isHomeless).length,
        seconds: ((drain.emptyAt ?? now) - drain.began) / 1000,
      };
    }
  }

  /** @param {string} worker @returns {Outcome | undefined} */
  outcome(worker) {
    return this.#drains.get(worker)?.outcome;
  }

  /** Workers that were drained here and are gone: they have left the list, but what became of them is worth saying. @param {Worker[]} workers */
  gone(workers) {
    const known = new Set(workers.map(({ id }) => id));
    return [...this.#drains].filter(([id]) => !known.has(id)).map(([id, { outcome }]) => ({ id, outcome }));
  }
}
