/** The details sheet: the quality wanted, and what the connection does now. Numbers are looked at only while it is open. */

import { QUALITIES, rows } from "./details.js";
import { Latency } from "./latency.js";
import { radio, RadioGroup } from "./radio-group.js";
import { say } from "./strings.js";

/** @typedef {import("./session.js").TryOnSession} TryOnSession */

export class DetailsSheet {
  #dialog;
  #session;
  #qualities;
  #latency = new Latency();
  /** @type {HTMLElement | null} */
  #output = null;
  #timer = 0;

  /** @param {HTMLDialogElement} dialog @param {HTMLButtonElement} opener @param {TryOnSession} session */
  constructor(dialog, opener, session) {
    this.#dialog = dialog;
    this.#session = session;
    const group = this.#part("#details-quality");
    group.replaceChildren(...QUALITIES.map(({ value, label }) => radio(value ?? "", say(label), "option")));
    this.#qualities = new RadioGroup(group, ({ dataset }) => this.#want(String(dataset.value)));
    opener.onclick = () => this.#open();
    this.#part("#details-close").onclick = () => dialog.close();
    dialog.addEventListener("click", ({ target }) => {
      if (target === dialog) dialog.close(); // a touch beside the sheet
    });
    dialog.onclose = () => clearInterval(this.#timer);
    session.on("metadata", (metadata) => dialog.open && this.#latency.told(metadata));
  }

  /** The try-on is over. */
  close() {
    this.#dialog.close();
  }

  #open() {
    this.#dialog.showModal();
    this.#mark();
    this.#show();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#show(), 1000);
  }

  /** @param {string} quality */
  #want(quality) {
    this.#session.configure({ quality });
    this.#mark();
  }

  #mark() {
    this.#qualities.mark(this.#qualities.button(this.#session.settings.quality ?? "auto"));
  }

  #show() {
    this.#follow(document.getElementById("output"));
    const shown = rows(this.#session.stats(), this.#latency.ms, this.#session.lastMetadata);
    this.#part("#details-numbers").replaceChildren(
      ...shown.flatMap(([name, value]) => [cell("dt", name), cell("dd", value)]),
    );
  }

  /** Another connection has another element, and other timestamps. @param {HTMLElement | null} output */
  #follow(output) {
    if (this.#output === output) return;
    this.#output = output;
    this.#latency = new Latency();
    if (output instanceof HTMLVideoElement && "requestVideoFrameCallback" in output) this.#watch(output);
  }

  /** @param {HTMLVideoElement} video */
  #watch(video) {
    video.requestVideoFrameCallback((_now, { rtpTimestamp, expectedDisplayTime }) => {
      if (!this.#dialog.open) this.#output = null; // watched again when opened again
      if (this.#output !== video) return;
      if (rtpTimestamp !== undefined) this.#latency.shown(rtpTimestamp, performance.timeOrigin + expectedDisplayTime);
      this.#watch(video);
    });
  }

  /** @param {string} selector */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.#dialog.querySelector(selector));
  }
}

/** @param {"dt" | "dd"} tag @param {string} text */
function cell(tag, text) {
  return Object.assign(document.createElement(tag), { textContent: text });
}
