/**
 * The element `<nail-try-on>`, without registering it: `nail-try-on.js` does. It wires a view to a `TryOn` and decides
 * little itself. Attributes and properties are the same; what a page may style is in nail-try-on-style.js.
 */

import { asTryOnError, isHopeless, isServers, whyItWaits, wordsFor } from "./errors.js";
import { MessageBox } from "./message-box.js";
import { createView, name, showPaused } from "./nail-try-on-view.js";
import { languageOf, words } from "./nail-try-on-words.js";
import { PhotoCard } from "./photo-card.js";
import { useLanguage } from "./strings.js";
import { Strip } from "./strip.js";
import { countCameras } from "./camera.js";
import { TryOn } from "./try-on.js";
import { hintWords, stateWords } from "./words.js";

/** @typedef {import("./try-on.js").StartOptions} StartOptions */

/** Where no page is, as on a server that renders one, importing this does no harm. */
const Base = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

const EVENTS = /** @type {const} */ (["state", "quality", "metadata", "retry", "problem", "design", "capture"]);
const OVER = ["idle", "ended", "failed"];
/** A connection that is back sooner is only mentioned in the state. */
const SHORT_LOSS_MS = 900;
const WITHOUT_NAILS_MS = 2500;
const PROBLEM_MS = 6000;
/** So many designs need no families. */
const FEW = 8;

export class NailTryOn extends Base {
  static observedAttributes = ["url", "token", "design", "designs", "controls"];

  #view;
  #message;
  #photo;
  #strip;
  /** @type {TryOn | null} */
  #tryOn = null;
  /** @type {import("./try-on.js").Token} */
  #token = null;
  /** All of the server's. @type {import("./api.js").Design[]} */
  #designs = [];
  #nailsSeenAt = 0;
  /** Whether the page shows the photo itself: it prevented the event's default. */
  #photoIsTaken = false;

  constructor() {
    super();
    const view = createView(this.attachShadow({ mode: "open" }));
    this.#view = view;
    name(view, words());
    this.#message = new MessageBox(view.message);
    this.#photo = new PhotoCard(view.photo, view.shutter);
    this.#strip = new Strip(
      { designs: view.strip, families: view.families },
      { onSelect: ({ id }) => this.wear({ design: id }), onFamily: () => {} },
    );
    view.start.onclick = () => this.#begin({ source: this.source });
    view.demo.onclick = () => this.#begin({ source: "demo" });
    view.stop.onclick = () => {
      this.stop();
      view.start.focus();
    };
    view.pause.onclick = () => (this.state === "paused" ? this.resume() : this.pause());
    view.shutter.onclick = () => void this.#shoot();
    view.turn.onclick = () => this.tryOn.switchCamera().catch((error) => this.#tell(asTryOnError(error).code));
  }

  // --- attributes and properties --------------------------------------------------------------------------------------

  get url() {
    return this.getAttribute("url");
  }
  set url(value) {
    this.#reflect("url", value);
  }

  /** A bearer token of the page's application; a function that gives one is kept as property alone. */
  get token() {
    return this.#token;
  }
  set token(value) {
    this.#token = value;
    if (typeof value !== "function") this.#reflect("token", value);
    else this.#restart();
  }

  /** The id of the design that is worn; null for the nails of the person's own photo. */
  get design() {
    return this.#tryOn ? this.#tryOn.design : (numbers(this.getAttribute("design"))[0] ?? null);
  }
  set design(value) {
    this.#reflect("design", value);
  }

  /** The ids of the designs to choose from, in this order; empty for all. */
  get designs() {
    return numbers(this.getAttribute("designs"));
  }
  set designs(value) {
    this.#reflect("designs", value.length > 0 ? value.join(",") : null);
  }

  get controls() {
    return this.hasAttribute("controls");
  }
  set controls(value) {
    this.#reflect("controls", value ? "" : null);
  }

  /** What “Start camera” starts. @returns {"camera" | "demo"} */
  get source() {
    return this.getAttribute("source") === "demo" ? "demo" : "camera";
  }
  set source(value) {
    this.#reflect("source", value);
  }

  get state() {
    return this.#tryOn?.state ?? "idle";
  }

  get sessionId() {
    return this.#tryOn?.sessionId ?? null;
  }

  /** What does the work; another one after the element was taken out of the page, or its server changed. */
  get tryOn() {
    this.#tryOn ??= this.#create();
    return this.#tryOn;
  }

  // --- what a page calls ------------------------------------------------------------------------------------------------

  /** @param {StartOptions} [options] */
  start({ source = this.source, ...options } = {}) {
    return this.tryOn.start({ source, ...options });
  }

  /** @param {import("./outfit.js").Change} change */
  wear(change) {
    this.tryOn.wear(change);
  }

  pause() {
    this.#tryOn?.pause();
  }

  resume() {
    this.#tryOn?.resume();
  }

  stop() {
    this.#tryOn?.stop();
  }

  capture() {
    return this.tryOn.capture();
  }

  /** @param {Blob} photo */
  async useManicure(photo) {
    const design = await this.tryOn.useManicure(photo);
    this.#strip.wearOwn(design);
    return design;
  }

  /** @param {import("./session.js").Photo | Blob} photo @param {Record<string, unknown>} [metadata] */
  save(photo, metadata) {
    return this.tryOn.save(photo, metadata);
  }

  stats() {
    return this.tryOn.stats();
  }

  // --- in and out of the page -------------------------------------------------------------------------------------------

  connectedCallback() {
    // A framework may have set properties before the element was known: they would hide those of the class.
    for (const property of ["url", "token", "design", "designs", "controls", "source"]) this.#upgrade(property);
    this.#view.frame.dataset.controls = String(this.controls);
    void this.#speak().then(() => this.#load());
  }

  /** All elements of a page speak one language, that of the last one. */
  async #speak() {
    await useLanguage(languageOf(this), this.#view.frame);
    name(this.#view, words());
    this.#view.start.textContent = words().start;
  }

  /** Moving an element takes it out and puts it back: only what stays out is over. */
  disconnectedCallback() {
    queueMicrotask(() => this.isConnected || this.#close());
  }

  /** @param {string} attribute @param {string | null} before @param {string | null} value */
  attributeChangedCallback(attribute, before, value) {
    if (before === value) return;
    if (attribute === "controls") this.#view.frame.dataset.controls = String(this.controls);
    if (attribute === "token" && value !== this.#token) this.#token = value;
    if (attribute === "token" || attribute === "url") this.#restart();
    if (attribute === "designs") this.#show();
    if (attribute === "design" && value !== null) this.#choose(Number(value));
  }

  #create() {
    const [url, token] = [this.url ?? undefined, this.#token];
    const tryOn = new TryOn({ url, token });
    tryOn.attach(this.#view.picture);
    const [wanted] = numbers(this.getAttribute("design"));
    if (wanted !== undefined) tryOn.wear({ design: wanted });
    for (const event of EVENTS) tryOn.addEventListener(event, ({ detail }) => this.#pass(tryOn, event, detail));
    tryOn.addEventListener("state", ({ detail }) => this.#follow(detail));
    tryOn.addEventListener("retry", ({ detail }) => this.#retry(detail));
    tryOn.addEventListener("problem", ({ detail }) => detail.fatal || this.#tell(detail.code));
    tryOn.addEventListener("quality", () => this.#showState());
    tryOn.addEventListener("metadata", ({ detail }) => this.#hint(detail));
    tryOn.addEventListener("design", ({ detail }) => this.#showDesign(detail.design));
    return tryOn;
  }

  #close() {
    this.#tryOn?.close();
    this.#tryOn = null;
    this.#photo.hide();
  }

  /** With another server, or as somebody else. */
  #restart() {
    if (!this.#tryOn) return; // it is yet to be made
    this.#close();
    if (this.isConnected) void this.#load();
  }

  async #load() {
    const { tryOn } = this;
    try {
      const designs = await tryOn.designs();
      if (tryOn !== this.#tryOn) return;
      this.#designs = designs;
      if (this.#message.code === "designs_unavailable" || this.#message.code === "origin_not_allowed") this.#message.hide();
      this.#show();
    } catch (error) {
      if (tryOn === this.#tryOn) this.#refuse(asTryOnError(error));
    }
  }

  /** The designs did not come. @param {import("./errors.js").TryOnError} error */
  #refuse(error) {
    const code = error.code === "origin_not_allowed" ? error.code : "designs_unavailable";
    const { title, text, action } = wordsFor(code);
    console.warn(`lacquer: ${error.code}: ${error.message}`);
    this.#message.show(code, { label: action ?? undefined, act: () => void this.#load() });
    this.#view.start.hidden = isHopeless(code);
    this.#view.demo.hidden = isServers(code);
    const detail = { code, message: error.message, title, text, fatal: true, error };
    this.dispatchEvent(new CustomEvent("problem", { detail }));
  }

  // --- what is shown ----------------------------------------------------------------------------------------------------

  #show() {
    if (this.#designs.length === 0) return; // on their way
    const { designs: wanted, design } = this;
    const worn = this.hasAttribute("design") ? this.#designs.find(({ id }) => id === design) : undefined;
    const offered = wanted.flatMap((id) => this.#designs.find((one) => one.id === id) ?? []);
    const shown = wanted.length === 0 ? this.#designs : worn && !offered.includes(worn) ? [worn, ...offered] : offered;
    this.#view.choice.hidden = shown.length < 2;
    this.#view.families.hidden = shown.length < FEW;
    this.#strip.show(shown, design); // seen by now: it scrolls to the chosen one
    if (this.hasAttribute("design") && !worn && design !== null) this.#tell("unknown_design");
    const { selected } = this.#strip;
    if (selected && selected.id !== design && design !== null) this.wear({ design: selected.id });
  }

  /** The page wants another design. @param {number} design */
  #choose(design) {
    if (design === this.#tryOn?.design || !Number.isInteger(design)) return;
    this.#tryOn?.wear({ design });
  }

  /** @param {number | null} design that is worn now */
  #showDesign(design) {
    this.#reflect("design", design);
    if (this.#designs.length > 0 && design !== null && this.#strip.selected?.id !== design) this.#show();
  }

  /** @param {import("./try-on.js").StateDetail} detail */
  #follow({ state, error }) {
    const { frame, start, demo, pause, shutter } = this.#view;
    frame.dataset.state = state;
    this.#showState();
    this.#nailsSeenAt = performance.now();
    pause.disabled = shutter.disabled = state !== "live" && state !== "paused";
    pause.setAttribute("aria-label", state === "paused" ? words().resume : words().pause);
    showPaused(pause, state === "paused");
    void this.#showSwitch();
    this.#say(state === "starting" && this.source === "camera" ? words().allow : "");
    if (state === "reconnecting") setTimeout(() => this.#message.code ?? this.#mentionLoss(), SHORT_LOSS_MS);
    else if (error && OVER.includes(state)) this.#message.show(error.code);
    else this.#message.hide();
    if (error?.retryAfter !== undefined && state === "failed") {
      this.#message.countDown(error.retryAfter, () => this.#begin({ source: this.source }));
    }
    start.textContent = (error && wordsFor(error.code).action) ?? words().start;
    start.hidden = error !== null && isHopeless(error.code);
    demo.hidden = this.source === "demo" || (error !== null && isServers(error.code));
    if (OVER.includes(state)) this.#photo.hide();
  }

  #showState() {
    const { state } = this.#view;
    const words = stateWords(this.state);
    if (state.textContent !== words) state.textContent = words;
    state.dataset.level = this.#tryOn?.stats().quality ?? "";
  }

  async #showSwitch() {
    const { turn } = this.#view;
    turn.disabled = this.state !== "live";
    turn.hidden = (await countCameras()) < 2;
  }

  /** @param {import("./session.js").Events["retry"]} detail */
  #retry({ delayMs, error }) {
    if (this.state !== "reconnecting" || delayMs <= SHORT_LOSS_MS) return;
    this.#mentionLoss(whyItWaits(error.code));
    this.#message.countDown(delayMs / 1000);
  }

  #mentionLoss(code = "connection_lost") {
    if (this.state !== "reconnecting") return;
    this.#message.show(code, { label: words().retry, act: () => this.tryOn.retry() });
  }

  /** Something went wrong, and the picture goes on. @param {string} code */
  #tell(code) {
    if (this.state !== "failed") this.#message.show(code, { forMs: PROBLEM_MS });
  }

  /** @param {import("./try-on.js").Metadata} metadata */
  #hint({ hands, nails }) {
    const now = performance.now();
    if (nails.length > 0) this.#nailsSeenAt = now;
    if (this.state === "live") this.#say(now - this.#nailsSeenAt < WITHOUT_NAILS_MS ? "" : hintWords(hands));
  }

  /** @param {string} words empty for none */
  #say(words) {
    if (this.#view.hint.textContent !== words) this.#view.hint.textContent = words;
  }

  // --- what the person does ---------------------------------------------------------------------------------------------

  /** What fails is shown and told by events. @param {StartOptions} options */
  #begin(options) {
    this.start(options).catch(() => {});
  }

  async #shoot() {
    try {
      const photo = await this.capture();
      if (!this.#photoIsTaken) await this.#photo.show(photo);
    } catch (error) {
      this.#tell(asTryOnError(error).code);
    }
  }

  /** @param {TryOn} tryOn @param {string} event @param {unknown} detail */
  #pass(tryOn, event, detail) {
    if (tryOn !== this.#tryOn) return;
    const passed = this.dispatchEvent(new CustomEvent(event, { detail, cancelable: event === "capture" }));
    if (event === "capture") this.#photoIsTaken = !passed;
  }

  /** @param {string} attribute @param {string | number | null} value */
  #reflect(attribute, value) {
    if (value === null || value === undefined) this.removeAttribute(attribute);
    else if (this.getAttribute(attribute) !== String(value)) this.setAttribute(attribute, String(value));
  }

  /** @param {string} property */
  #upgrade(property) {
    if (!Object.hasOwn(this, property)) return;
    const self = /** @type {any} */ (this);
    const value = self[property];
    delete self[property];
    self[property] = value;
  }
}

/** Whole numbers in a text, such as an attribute's. @param {string | null} text */
function numbers(text) {
  return (text?.match(/\d+/g) ?? []).map(Number);
}
