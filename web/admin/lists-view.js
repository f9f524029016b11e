/** Errors and results. */

import { keep, make, mark, say } from "./dom.js";
import { showSwatch } from "./sessions-view.js";
import * as words from "./words.js";

/** @typedef {import("./client.js").Result} Result */
/** @typedef {import("./client.js").Trouble & { process: string }} Trouble */

/** @param {Element} list @param {Trouble[]} errors @param {number} now server time, ms @param {boolean} several processes */
export function showErrors(list, errors, now, several) {
  keep(list, errors, {
    key: ({ last_at: _, count: __, ...same }) => JSON.stringify(same),
    create: () =>
      make(
        "li",
        {},
        make("span", { class: "level" }),
        make("p", { class: "event" }, make("span"), " ", make("span", { class: "times" })),
        make("p", { class: "small" }),
        make("time", { class: "small" }),
      ),
    update: (row, error) => {
      const [level, event, details, time] = row.children;
      mark(row, "data-level", error.level);
      say(level, error.level);
      say(event.children[0], error.event);
      say(event.children[1], error.count > 1 ? `×${error.count}` : "");
      say(details, [words.errorDetails(error), several && error.process].filter(Boolean).join(" · "));
      details.hidden = !details.textContent;
      say(time, words.ago(now - Date.parse(error.last_at)));
      mark(time, "datetime", error.last_at);
    },
  });
}

/** @param {Element} list @param {Result[]} results @param {number} now server time, ms */
export function showResults(list, results, now) {
  keep(list, results, {
    key: ({ result_id: id }) => id,
    create: () =>
      make(
        "li",
        {},
        make("div", { class: "look" }, make("span", { class: "swatch", "aria-hidden": "true" })),
        make("p", {}),
        make("p", { class: "small" }),
        make("p", { class: "small" }),
      ),
    update: (tile, result) => {
      const [look, name, measures, time] = tile.children;
      const { name: design, size, age } = words.result(result, now - Date.parse(result.created_at));
      showSwatch(look.querySelector(".swatch"), result.design?.colours ?? []);
      say(name, design);
      say(measures, size);
      say(time, age);
      mark(tile, "title", `${result.result_id}, owner ${result.owner}`);
    },
  });
}
