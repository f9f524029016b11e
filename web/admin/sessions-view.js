/** The table of sessions: who streams, what they wear, and how well it goes. */

import { makeMeter, showMeter } from "./bars.js";
import { keep, make, mark, measure, say } from "./dom.js";
import { confidence, dropped, fps, isConnected, latency, smoothness } from "./figures.js";
import * as words from "./words.js";

/** @typedef {import("./client.js").Session} Session */
/** @typedef {{ end: (session: Session) => void }} Actions */

const CELLS = ["session", "wears", "worker", "here", "fps", "latency", "dropped", "confidence"];
const FULL_FPS = 30;

/** @param {Element} rows @param {Session[]} sessions @param {number} now server time, ms @param {Actions} actions */
export function showSessions(rows, sessions, now, actions) {
  keep(rows, sessions, {
    key: ({ session_id: id }) => id,
    create: () => create(actions),
    update: (row, session) => update(row, session, now),
  });
}

/** @param {Actions} actions */
function create(actions) {
  const row = make("tr", { role: "row" });
  for (const name of CELLS) row.append(make("td", { role: "cell", class: `of-${name}`, "data-label": words.WORDS[name] }));
  const [session, wears, worker, time, rate, slow, lost, sure] = row.children;
  session.append(make("span", { class: "look" }), make("code"), make("span", { class: "small" }));
  wears.append(make("span", { class: "swatch", "aria-hidden": "true" }), make("span"));
  worker.append(make("span"));
  for (const cell of [time, slow]) cell.append(make("span"), make("span", { class: "small" }));
  for (const cell of [rate, lost, sure]) cell.append(makeMeter());
  const button = make("button", { class: "quiet", type: "button" }, words.END);
  button.addEventListener("click", () => actions.end(/** @type {any} */ (row).session));
  row.append(make("td", { role: "cell", class: "of-actions" }, button));
  return row;
}

/** @param {any} row @param {Session} session @param {number} now */
function update(row, session, now) {
  row.session = session;
  const [who, wears, worker, time, rate, slow, lost, sure, actions] = row.children;
  const id = words.shortId(session.session_id);
  const [, code, state] = who.children;
  say(code, id);
  mark(code, "title", `${session.session_id}, owner ${session.owner}`);
  say(state, words.sessionState(session));
  mark(row, "data-connected", String(isConnected(session)));
  showSwatch(wears.children[0], session.design.colours);
  say(wears.children[1], session.design.name);
  say(worker.children[0], session.worker ?? "–");
  const { since, left } = words.times(now - Date.parse(session.created_at), Date.parse(session.expires_at) - now);
  say(time.children[0], since);
  say(time.children[1], left);
  showFigures({ rate, slow, lost, sure }, session);
  mark(actions.children[0], "aria-label", `${words.END}: ${id}`);
}

/** @param {Record<string, any>} cells @param {Session} session */
function showFigures({ rate, slow, lost, sure }, session) {
  const frames = fps(session);
  showMeter(rate.children[0], frames === null ? "–" : frames.toFixed(0), (frames ?? 0) / FULL_FPS, smoothness(frames));
  const { main, more } = words.latency(isConnected(session) ? latency(session) : null);
  say(slow.children[0], main);
  say(slow.children[1], more);
  const share = dropped(session);
  showMeter(lost.children[0], words.percent(share), share, (share ?? 0) > 0.1 ? "poor" : "fair");
  mark(lost, "title", words.dropReasons(session.statistics.frames_dropped) || null);
  const sureness = confidence(session);
  showMeter(sure.children[0], words.percent(sureness), sureness, sureness === null ? "none" : "good");
}

/** Up to three colours of a design, one above the other. @param {HTMLElement} element @param {string[]} colours */
export function showSwatch(element, colours) {
  const [first = "transparent", second = first, third = second] = colours;
  [first, second, third].forEach((colour, place) => measure(element, `--colour-${place}`, colour));
}
