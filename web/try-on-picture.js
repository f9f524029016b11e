/**
 * The picture of a try-on, for pages that are not ours: one element that stays, whatever comes and goes inside it.
 *
 * Its styles are set one by one on the elements themselves, which no Content-Security-Policy forbids and no style sheet
 * of the page can break.
 */

/** @typedef {import("./session.js").State} State */

const LAYER = {
  position: "absolute",
  inset: "0",
  width: "100%",
  height: "100%",
  objectFit: "var(--nail-try-on-fit, cover)",
};

/** States in which the camera itself shows, softened, while there is no processed picture to show. */
const WAITING = ["starting", "connecting", "reconnecting"];

export class TryOnPicture {
  element = styled(document.createElement("div"), {
    position: "relative",
    overflow: "hidden",
    width: "100%",
    height: "100%",
    aspectRatio: "var(--nail-try-on-aspect, 4 / 3)",
  });

  #camera = styled(document.createElement("video"), {
    ...LAYER,
    filter: "brightness(0.55) saturate(0.8) blur(2px)",
    transition: "opacity 0.35s",
  });
  /** Shows the processed picture. @type {HTMLElement | null} */
  #output = null;
  /** Will, once it has one. @type {HTMLElement | null} */
  #next = null;
  #mirror = "none";

  constructor() {
    Object.assign(this.#camera, { muted: true, playsInline: true, disablePictureInPicture: true });
    this.#camera.setAttribute("aria-hidden", "true");
    this.element.append(this.#camera);
    this.element.addEventListener("click", () => this.#play());
    this.follow("idle");
  }

  /** @param {State} state */
  follow(state) {
    this.element.dataset.state = state;
    this.#camera.style.opacity = WAITING.includes(state) ? "1" : "0";
    if (["idle", "ended", "failed"].includes(state)) this.clear();
  }

  /** @param {MediaStream} stream of the camera @param {boolean} mirrored */
  showCamera(stream, mirrored) {
    this.#mirror = mirrored ? "scaleX(-1)" : "none";
    this.#camera.srcObject = stream;
    for (const layer of [this.#camera, this.#output, this.#next]) if (layer) layer.style.transform = this.#mirror;
    void this.#camera.play().catch(() => {}); // only a backdrop while connecting
  }

  /** A connection begins: its picture waits behind the old one. @param {HTMLElement} output */
  prepare(output) {
    this.#next?.remove();
    this.#next = styled(output, { ...LAYER, transform: this.#mirror });
    this.element.prepend(output);
  }

  /** The first picture of a connection is there. */
  reveal() {
    if (!this.#next) return;
    this.#output?.remove();
    this.#output = this.#next;
    this.#next = null;
    this.#output.dataset.output = "";
  }

  clear() {
    for (const output of [this.#output, this.#next]) output?.remove();
    this.#output = this.#next = null;
    this.#camera.srcObject = null;
  }

  /** A browser that refuses to play without a touch gets one here. */
  #play() {
    const { state } = this.element.dataset;
    if (this.#output instanceof HTMLVideoElement && state === "live") void this.#output.play().catch(() => {});
  }
}

/** @template {HTMLElement} E @param {E} element @param {Record<string, string>} style @returns {E} */
function styled(element, style) {
  for (const [name, value] of Object.entries(style)) element.style.setProperty(dashed(name), value);
  return element;
}

/** As CSS writes it. @param {string} name */
function dashed(name) {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
