/** What is inside `<nail-try-on>`: elements, their parts for the page's style sheet, and their names. No behaviour. */

import { draw, icon, make } from "./make.js";
import { STYLE } from "./nail-try-on-style.js";

const ICONS = {
  pause: "M9 5.5v13M15 5.5v13",
  play: "M8 5.5v13l10.5-6.5Z",
  switch: "M4 11a8 8 0 0 1 14-4.5L20 9M20 4v5h-5M20 13a8 8 0 0 1-14 4.5L4 15M4 20v-5h5",
  close: "m6 6 12 12M18 6 6 18",
};

const NAIL = "M0-74C19-74 27-38 27-2c0 34-8 62-27 62S-27 32-27-2C-27-38-19-74 0-74Z";
const GLEAM = "M-13-44c3-13 8-16 9-12 1 3-4 18-4 44 0 20 1 33-2 33-5 0-8-36-3-65Z";
/** Where each of five nails lies, and how it is turned: a hand's, spread. */
const FAN = [
  "translate(56 128) rotate(-24) scale(.84)",
  "translate(116 104) rotate(-12) scale(.95)",
  "translate(180 96) scale(1.04)",
  "translate(244 104) rotate(12) scale(.95)",
  "translate(304 128) rotate(24) scale(.84)",
];

/** @typedef {ReturnType<typeof createView>} View */

/** @param {ShadowRoot} root empty */
export function createView(root) {
  const picture = make("div", { class: "picture", part: "picture", role: "img" });
  const state = make("p", { class: "state", part: "state", role: "status" });
  const stop = round("stop", ICONS.close);
  const hint = make("p", { class: "hint", part: "hint", role: "status" });
  const start = make("button", { type: "button", class: "primary", part: "button start-button" });
  const demo = make("button", { type: "button", class: "secondary", part: "button demo-button" });
  const [title, text] = [make("strong", { class: "title" }), make("span", { class: "text" })];
  const introduction = make("slot", { name: "start" }, fan(), title, text);
  const intro = make("div", { class: "intro", part: "start" }, introduction);
  const message = createMessage();
  const pause = round("pause", ICONS.pause);
  const shutter = make("button", { type: "button", class: "shutter", part: "button capture-button" });
  const turn = round("switch", ICONS.switch);
  const bar = make("div", { class: "bar", part: "controls" }, pause, shutter, turn);
  const buttons = make("div", { class: "buttons" }, start, demo);
  const foreground = make("div", { class: "foreground" }, hint, intro, message, buttons, bar);
  const photo = createPhoto();
  const top = make("div", { class: "top" }, state, stop);
  const stage = make("div", { class: "stage", part: "stage" }, picture, foreground, top, photo.element);
  const families = make("div", { class: "families", role: "radiogroup" });
  const strip = make("div", { class: "strip", role: "radiogroup" });
  const row = make("div", { class: "families-row" }, families);
  const choice = make("div", { class: "choice", part: "designs", hidden: "" }, row, strip);
  const layout = make("div", { class: "layout" }, stage, choice);
  const frame = make("div", { class: "frame", "data-state": "idle" }, layout);
  dress(root);
  root.append(frame);
  return {
    frame, picture, state, stop, hint, start, demo, title, text, message, pause, shutter, turn, photo, choice, families, strip,
  };
}

/** Five nails in shades of the accent. */
function fan() {
  const nails = FAN.map((transform) =>
    draw("g", { transform }, draw("path", { d: NAIL, class: "lacquer" }), draw("path", { d: GLEAM, class: "gleam" })),
  );
  return draw("svg", { viewBox: "20 8 320 186", class: "fan", "aria-hidden": "true" }, ...nails);
}

/** As MessageBox wants it. */
function createMessage() {
  return make(
    "div",
    { class: "message", part: "message", role: "alert", hidden: "" },
    make("strong", { id: "message-title" }),
    make("span", { id: "message-text" }),
    make("span", { id: "countdown", "aria-hidden": "true", hidden: "" }),
    make("button", { type: "button", id: "message-action", class: "secondary", part: "button", hidden: "" }),
  );
}

function createPhoto() {
  const canvas = make("canvas", { role: "img" });
  const download = make("a", { class: "primary", part: "button download-button" });
  const close = make("button", { type: "button", class: "secondary", part: "button" });
  const buttons = make("div", { class: "buttons" }, download, close);
  const element = make("div", { class: "photo", part: "photo", role: "dialog", hidden: "" }, canvas, buttons);
  return { element, canvas, download, close };
}

/** @param {string} name @param {string} path */
function round(name, path) {
  return make("button", { type: "button", class: `round ${name}`, part: `button ${name}-button` }, icon(path));
}

/** Shows what the button does now. @param {HTMLElement} button @param {boolean} paused */
export function showPaused(button, paused) {
  button.querySelector("path")?.setAttribute("d", paused ? ICONS.play : ICONS.pause);
}

/** @param {View} view @param {ReturnType<typeof import("./nail-try-on-words.js").words>} words */
export function name(view, words) {
  view.title.textContent = words.title;
  view.text.textContent = words.text;
  view.demo.textContent = words.demo;
  view.photo.download.textContent = words.download;
  view.photo.close.textContent = words.close;
  const labels = /** @type {[Element, string][]} */ ([
    [view.picture, words.picture],
    [view.stop, words.stop],
    [view.shutter, words.capture],
    [view.turn, words.switch],
    [view.families, words.families],
    [view.strip, words.designs],
    [view.photo.element, words.photo],
    [view.photo.canvas, words.photo],
  ]);
  for (const [element, label] of labels) element.setAttribute("aria-label", label);
}

/** One sheet for all elements of the page. @type {CSSStyleSheet | null} */
let sheet = null;

/** @param {ShadowRoot} root */
function dress(root) {
  if (!root.adoptedStyleSheets) return root.append(make("style", {}, STYLE)); // Safari before 16.4
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
  }
  root.adoptedStyleSheets = [sheet];
}
