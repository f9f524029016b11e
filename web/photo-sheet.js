/** The photo or clip just taken: a look at it, before and after, download, and the phone's share sheet if there is one. */

import { beforeAndAfter } from "./before-after.js";
import { asTryOnError, sentenceFor } from "./errors.js";
import { radio, RadioGroup } from "./radio-group.js";
import { say } from "./strings.js";

/** @typedef {"photo" | "both"} View */

/** @type {View[]} */
const VIEWS = ["photo", "both"];

export class PhotoSheet {
  #dialog;
  #save;
  #views;
  /** What can be looked at. @type {Partial<Record<View, File>>} */
  #files = {};
  /** @type {ImageBitmap | null} */
  #before = null;
  /** What is shown, downloaded and shared. @type {File | null} */
  #file = null;

  /** Those that are on the server. @type {WeakSet<File>} */
  #saved = new WeakSet();

  /** @param {HTMLDialogElement} dialog @param {(photo: File, view: View) => Promise<void>} save keeps it on the server */
  constructor(dialog, save) {
    this.#dialog = dialog;
    this.#save = save;
    const views = this.#part("#photo-views");
    views.replaceChildren(...VIEWS.map((view) => radio(view, say(`photo.${view}`), "option")));
    this.#views = new RadioGroup(views, ({ dataset }) => void this.#look(/** @type {View} */ (dataset.value)));
    this.#part("#photo-close").onclick = () => dialog.close();
    this.#part("#share").onclick = () => this.#share();
    this.#part("#photo-save").onclick = () => void this.#keep();
    dialog.addEventListener("click", ({ target }) => {
      if (target === dialog) dialog.close(); // a touch beside the sheet
    });
    dialog.onclose = () => this.#forget();
  }

  /** @param {Blob} photo @param {string} name @param {ImageBitmap | null} before the camera's frame, unpainted */
  async showPhoto(photo, name, before) {
    this.#files = { photo: file(photo, name) };
    this.#before = before;
    this.#part("#photo-views").hidden = !before;
    this.#savable(true);
    await this.#look("photo");
    this.#open(say("photo.title"));
  }

  /** @param {Blob} clip @param {string} name */
  async showClip(clip, name) {
    this.#files = {};
    this.#part("#photo-views").hidden = true;
    this.#savable(false);
    this.#offer(file(clip, name));
    const video = /** @type {HTMLVideoElement} */ (this.#part("#photo-clip"));
    this.#reveal(video);
    video.src = this.#url;
    this.#open(say("photo.clip_title"));
    await video.play().catch(() => {}); // it has controls
  }

  /** @param {View} view */
  async #look(view) {
    if (view === "both") await this.#compose();
    const chosen = this.#files[view];
    if (!chosen) return;
    this.#views.mark(this.#views.button(view));
    this.#offer(chosen);
    const image = /** @type {HTMLImageElement} */ (this.#part("#photo-image"));
    this.#reveal(image);
    image.src = this.#url;
    image.alt = say(view === "both" ? "photo.alt_both" : "photo.alt");
    await image.decode().catch(() => {}); // so that the sheet opens at its full size
  }

  async #compose() {
    const { photo, both } = this.#files;
    if (both || !photo || !this.#before) return;
    const name = photo.name.replace("lacquer-", "lacquer-before-after-");
    this.#files.both = file(await beforeAndAfter(this.#before, photo), name);
  }

  /** @param {string} title */
  #open(title) {
    this.#part("#photo-title").textContent = title;
    this.#dialog.showModal();
    this.#download.focus();
  }

  /** @param {File} file */
  #offer(file) {
    URL.revokeObjectURL(this.#url);
    this.#file = file;
    this.#download.href = URL.createObjectURL(file);
    this.#download.download = file.name;
    this.#tell(this.#saved.has(file) ? "saved" : "save");
    this.#part("#share").hidden = !navigator.canShare?.({ files: [file] });
  }

  /** The server takes photos; clips stay here. @param {boolean} can */
  #savable(can) {
    for (const id of ["#photo-save", "#photo-note"]) this.#part(id).hidden = !can;
  }

  async #keep() {
    const photo = this.#file;
    if (!photo || this.#part("#photo-save").getAttribute("aria-disabled") === "true") return;
    this.#tell("saving");
    try {
      await this.#save(photo, photo === this.#files.both ? "both" : "photo");
      this.#saved.add(photo);
      if (photo === this.#file) this.#tell("saved", say("photo.saved_note"));
    } catch (error) {
      const reason = sentenceFor(asTryOnError(error).code);
      if (photo === this.#file) this.#tell("save", say("photo.not_saved", { reason }));
    }
  }

  /** @param {"save" | "saving" | "saved"} step @param {string} [note] */
  #tell(step, note = say("photo.what_saving_means")) {
    const button = this.#part("#photo-save");
    button.textContent = say(`photo.${step}`);
    button.setAttribute("aria-disabled", String(step !== "save")); // keeps the focus
    this.#part("#photo-note").textContent = note;
  }

  #share() {
    if (!this.#file) return;
    // The person may close the share sheet again, which is no error.
    navigator.share({ files: [this.#file], title: say("photo.share_title") }).catch(() => {});
  }

  /** @param {HTMLElement} shown the image or the video */
  #reveal(shown) {
    for (const id of ["#photo-image", "#photo-clip"]) this.#part(id).hidden = this.#part(id) !== shown;
  }

  #forget() {
    URL.revokeObjectURL(this.#url);
    const video = /** @type {HTMLVideoElement} */ (this.#part("#photo-clip"));
    video.removeAttribute("src");
    video.load();
    this.#files = {};
    this.#before = null;
    this.#file = null;
  }

  get #download() {
    return /** @type {HTMLAnchorElement} */ (this.#part("#download"));
  }

  get #url() {
    return this.#download.href;
  }

  /** @param {string} selector */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.#dialog.querySelector(selector));
  }
}

/** @param {Blob} blob @param {string} name */
function file(blob, name) {
  return new File([blob], name, { type: blob.type });
}
