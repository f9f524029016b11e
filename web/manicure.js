/** A photo of a manicure: from the file that was chosen, dropped or pasted to the session that wears its nails. */

import { asTryOnError } from "./errors.js";
import { firstPicture, shrink, Upload } from "./upload.js";
import { UploadSheet } from "./upload-sheet.js";

/** @typedef {import("./api.js").Design} Design */

/**
 * @typedef {object} ManicureEvents
 * @property {(design: Design) => void} onWear the server found these nails; now `show` them
 * @property {import("./upload-sheet.js").UploadEvents["onAssign"]} onAssign
 * @property {import("./upload-sheet.js").UploadEvents["onGo"]} onGo
 */

export class Manicure {
  #api;
  #input;
  #events;
  #sheet;
  /** @type {Upload | null} */
  #upload = null;
  /** @type {Design | null} */
  #design = null;
  /** On its way, or failed on it. @type {Blob | null} */
  #photo = null;

  /**
   * @param {Pick<import("./api.js").Api, "upload" | "end">} api
   * @param {HTMLDialogElement} dialog @param {HTMLInputElement} input takes files
   * @param {ManicureEvents} events
   */
  constructor(api, dialog, input, events) {
    this.#api = api;
    this.#input = input;
    this.#events = events;
    this.#sheet = new UploadSheet(dialog, {
      ...events,
      onAnother: () => this.choose(),
      onRetry: () => this.#photo && void this.#send(this.#photo),
      onClose: () => (this.#photo = null),
    });
    input.onchange = () => {
      this.#offer(input.files);
      input.value = ""; // the same photo may be chosen again
    };
  }

  /** Also takes what is dropped on the page or pasted into it. @param {Document} page */
  listen(page) {
    page.addEventListener("dragover", (event) => event.preventDefault()); // else the browser would open the file
    page.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#offer(event.dataTransfer?.files);
    });
    page.addEventListener("paste", ({ clipboardData }) => this.#offer(clipboardData?.files));
  }

  /** Makes sessions that can wear the photo's nails: no other session can. Undefined without a photo. */
  get openSession() {
    const upload = this.#upload;
    return upload ? () => upload.session() : undefined;
  }

  /** Asks for a photo. */
  choose() {
    this.#input.click();
  }

  /** Who wears which nail. @param {import("./wishes.js").Wishes} wishes */
  show(wishes) {
    const set = this.#design?.nail_set;
    if (this.#design && set) this.#sheet.show(this.#design, set, wishes);
    else this.#sheet.close(); // a server that does not tell
  }

  /** The page goes away. */
  discard() {
    this.#upload?.discard();
  }

  /** @param {Iterable<File> | null | undefined} files */
  #offer(files) {
    const photo = firstPicture(files ?? []);
    if (photo) void this.#send(photo);
  }

  /** @param {Blob} photo */
  async #send(photo) {
    this.#photo = photo;
    this.#sheet.wait();
    try {
      const small = await shrink(photo);
      const info = await this.#api.upload(small);
      this.#arrive(photo, info.design, new Upload(this.#api, small, info));
    } catch (error) {
      console.warn("lacquer:", error);
      if (this.#photo === photo) this.#sheet.fail(asTryOnError(error).code);
    }
  }

  /** @param {Blob} photo @param {Design} design @param {Upload} upload */
  #arrive(photo, design, upload) {
    if (this.#photo !== photo) return upload.discard(); // closed meanwhile, or another one was chosen
    this.#upload?.discard();
    this.#upload = upload;
    this.#design = { ...design, id: null };
    this.#events.onWear(this.#design);
  }
}
