/** The board: looks at the server every two seconds, shows what it saw, and does what the operator asks for. */

import { showBar, showLegend } from "./bars.js";
import { ERRORS_SHOWN, Refused } from "./client.js";
import { confirm } from "./confirm.js";
import { byId, mark, say } from "./dom.js";
import { Drains } from "./drains.js";
import { History } from "./history.js";
import { showErrors, showResults } from "./lists-view.js";
import { allPlaces, freeElsewhere, inOrder } from "./load.js";
import { refreshResults, refreshSessions } from "./pictures.js";
import { Poller } from "./poller.js";
import { showSessions } from "./sessions-view.js";
import { Troubles } from "./troubles.js";
import * as words from "./words.js";
import { showWorkers } from "./workers-view.js";

/** @typedef {import("./client.js").AdminClient} AdminClient */
/** @typedef {import("./client.js").Look} Look */
/** @typedef {import("./client.js").Worker} Worker */
/** @typedef {import("./client.js").Session} Session */

const FEW = 50;
const MANY = 200;
/** How long what was done is said. */
const SAID_MS = 8000;

export class Board {
  #client;
  #refused;
  #poller = new Poller(() => this.#look());
  #drains = new Drains();
  #history = new History();
  #troubles = new Troubles();
  /** @type {Partial<Look>} */
  #seen = {};
  #limit = FEW;
  #said = { text: "", until: 0 };

  /** @param {AdminClient} client @param {() => void} refused the token is no longer right */
  constructor(client, refused) {
    this.#client = client;
    this.#refused = refused;
    byId("more-sessions").onclick = () => {
      this.#limit = MANY;
      this.#poller.now();
    };
    document.onvisibilitychange = () => this.#seenAgain();
    this.#poller.start();
  }

  stop() {
    this.#poller.stop();
    document.onvisibilitychange = null;
    // Who is not let in any more sees nothing, in the page's source either.
    for (const id of ["workers", "session-rows", "errors", "results"]) byId(id).replaceChildren();
    for (const id of ["errors-of", "footer", "banner"]) say(byId(id), "");
  }

  #seenAgain() {
    if (document.hidden) this.#pulse("hidden");
    else this.#poller.now();
  }

  async #look() {
    try {
      const { look, missing } = await this.#client.look(this.#limit);
      this.#seen = { ...this.#seen, ...look };
      this.#pulse("fresh");
      this.#tell(missing.length ? words.missing(missing) : "");
    } catch (error) {
      const { status } = /** @type {Refused} */ (error);
      if (status === 401 || status === 403) {
        this.#refused();
        return;
      }
      this.#pulse("stale");
    }
    this.#show();
  }

  /** @param {keyof typeof words.PULSE} state */
  #pulse(state) {
    mark(byId("pulse"), "data-state", state);
    say(byId("pulse"), words.PULSE[state]);
  }

  /** What is wrong comes before what was done. @param {string} problem */
  #tell(problem) {
    if (performance.now() > this.#said.until) this.#said.text = "";
    say(byId("banner"), problem || this.#said.text);
  }

  /** @param {string} text */
  #announce(text) {
    this.#said = { text, until: performance.now() + SAID_MS };
    this.#tell("");
  }

  #show() {
    const { overview, sessions = [], results = [], errors } = this.#seen;
    const workers = inOrder(this.#seen.workers ?? []);
    const now = Date.now() + this.#client.skew;
    this.#drains.look(workers, sessions, now);
    this.#showLoad(workers, now);
    showWorkers(byId("workers"), workers, this.#drains, {
      drain: (worker) => this.#drain(worker),
      undrain: (worker) => this.#undrain(worker),
    });
    byId("no-workers").hidden = workers.length > 0;
    this.#showSessions(sessions, now);
    if (errors) this.#troubles.add(errors);
    this.#showErrors(now);
    showResults(byId("results"), results, now);
    byId("no-results").hidden = results.length > 0;
    if (!overview) return;
    say(byId("footer"), words.footer(overview, now));
    byId("results-note").hidden = overview.thumbnails;
    mark(document.body, "data-pictures", String(overview.thumbnails));
    if (!overview.thumbnails) return;
    refreshSessions(byId("session-rows"), this.#client, now);
    refreshResults(byId("results"), this.#client, now);
  }

  /** @param {Worker[]} workers @param {number} now */
  #showLoad(workers, now) {
    const all = allPlaces(workers);
    const { figure, rest } = words.headline(all);
    say(byId("headline"), figure);
    say(byId("headline-more"), rest);
    showBar(byId("total-bar"), words.WORDS.load, all);
    showLegend(byId("legend"), all);
    const inService = all.taken + all.leaving + all.free;
    this.#history.add(now, inService ? (all.taken + all.leaving) / inService : 0);
    const { line, area } = this.#history.paths(300, 56, now);
    mark(byId("history-line"), "d", line);
    mark(byId("history-area"), "d", area);
    mark(byId("history"), "aria-label", words.WORDS.history);
    say(byId("workers-count"), String(workers.filter(({ live }) => live).length));
  }

  /** @param {Session[]} sessions @param {number} now */
  #showSessions(sessions, now) {
    const { overview } = this.#seen;
    showSessions(byId("session-rows"), sessions, now, { end: (session) => this.#end(session) });
    const all = Math.max(sessions.length, overview && sessions.length >= this.#limit ? overview.created + overview.active : 0);
    say(byId("sessions-count"), all > sessions.length ? `${sessions.length} / ${all}` : String(all));
    byId("sessions").hidden = sessions.length === 0;
    byId("no-sessions").hidden = sessions.length > 0;
    byId("more-sessions").hidden = sessions.length < this.#limit || this.#limit === MANY;
  }

  /** @param {number} now */
  #showErrors(now) {
    const { processes } = this.#troubles;
    const newest = this.#troubles.newest(ERRORS_SHOWN);
    say(byId("errors-count"), String(newest.length));
    say(byId("errors-of"), processes.length ? words.errorsOf(processes) : "");
    showErrors(byId("errors"), newest, now, processes.length > 1);
    byId("errors").hidden = newest.length === 0;
    byId("no-errors").hidden = newest.length > 0;
  }

  // --- what the operator does -----------------------------------------------------------------------------------------
  /** @param {Worker} worker */
  async #drain(worker) {
    const { workers = [], sessions = [] } = this.#seen;
    const name = words.workerName(worker);
    if (!(await confirm(words.askDrain(name, worker.load, freeElsewhere(workers, worker.id))))) return;
    this.#drains.begin(worker.id, sessions, Date.now() + this.#client.skew);
    const done = await this.#do(`${words.DRAIN} ${name}`, () => this.#client.drain(worker.id));
    if (!done) this.#drains.forget(worker.id);
  }

  /** @param {Worker} worker */
  async #undrain(worker) {
    const name = words.workerName(worker);
    if (!(await this.#do(words.UNDRAIN, () => this.#client.undrain(worker.id)))) return;
    this.#drains.forget(worker.id);
    this.#announce(words.undrained(name));
  }

  /** @param {Session} session */
  async #end(session) {
    if (!(await confirm(words.askEnd(session)))) return;
    const { session_id: id } = session;
    if (await this.#do(`${words.END} ${words.shortId(id)}`, () => this.#client.end(id))) this.#announce(words.ended(id));
  }

  /** Whether it was done. @param {string} what @param {() => Promise<void>} act */
  async #do(what, act) {
    try {
      await act();
      return true;
    } catch (error) {
      this.#announce(words.failed(what, /** @type {Error} */ (error).message));
      return false;
    } finally {
      this.#poller.now();
    }
  }
}
