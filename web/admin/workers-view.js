/** One row for each worker: its places, what it does, and the button that drains it. */

import { showBar } from "./bars.js";
import { keep, make, mark, say } from "./dom.js";
import { places } from "./load.js";
import { DRAIN, UNDRAIN, drained, workerName, workerState } from "./words.js";

/** @typedef {import("./client.js").Worker} Worker */
/** @typedef {import("./drains.js").Drains} Drains */
/** @typedef {{ drain: (worker: Worker) => void, undrain: (worker: Worker) => void }} Actions */

/** @param {Element} list @param {Worker[]} workers @param {Drains} drains @param {Actions} actions */
export function showWorkers(list, workers, drains, actions) {
  const left = drains.gone(workers).map(({ id }) => ({
    ...{ id, url: "", region: "", live: false, draining: true, capacity: 0, load: 0 },
  }));
  keep(list, [...workers, ...left], {
    key: ({ id, url }) => id || url,
    create: () => create(actions),
    update: (row, worker) => update(row, worker, drains),
  });
}

/** @param {Actions} actions */
function create(actions) {
  const button = make("button", { class: "quiet", type: "button" });
  const row = make(
    "li",
    { class: "worker" },
    make("h3", {}, make("span", { class: "name" }), " ", make("span", { class: "region" })),
    make("span", { class: "state" }),
    make("div", { class: "bar", role: "img" }),
    make("p", { class: "outcome" }),
    button,
  );
  button.addEventListener("click", () => {
    const { worker } = /** @type {any} */ (row);
    if (worker.draining) actions.undrain(worker);
    else actions.drain(worker);
  });
  return row;
}

/** @param {any} row @param {Worker} worker @param {Drains} drains */
function update(row, worker, drains) {
  row.worker = worker;
  const [title, state, bar, outcome, button] = row.children;
  const here = drains.outcome(worker.id);
  say(title.children[0], workerName(worker));
  say(title.children[1], worker.region);
  title.children[0].title = worker.url;
  const gone = here?.state === "gone";
  say(state, gone ? "" : workerState(worker, Boolean(here)));
  mark(row, "data-state", worker.live ? (worker.draining ? "draining" : "open") : "silent");
  showBar(bar, workerName(worker), places(worker));
  bar.hidden = worker.capacity === 0;
  say(outcome, here ? drained(here) : "");
  outcome.hidden = !here;
  button.hidden = !worker.id || !worker.live;
  say(button, worker.draining ? UNDRAIN : DRAIN);
  mark(button, "aria-label", `${worker.draining ? UNDRAIN : DRAIN}: ${workerName(worker)}`);
}
