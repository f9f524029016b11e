/** How somebody came here: with a design in the address, or to wear a photo. Decides what the start screen says. */

import { say } from "./strings.js";

/** @typedef {{ upload: boolean, postId: number | null }} Entry  `postId` is null where the address names none. */

/** @param {URLSearchParams} parameters @returns {Entry} */
export function entryOf(parameters) {
  const asked = parameters.get("postId");
  return {
    upload: parameters.get("mode") === "upload" || parameters.get("photo") === "1",
    postId: asked === null ? null : Number(asked),
  };
}

/**
 * Keys of the start screen's title and sentence.
 * @param {Entry} entry
 */
export function entryWords({ upload }) {
  return upload
    ? { title: "start.title_upload", lead: "start.lead_upload" }
    : { title: "start.title", lead: "start.lead" };
}

/**
 * Says on the start screen what the address asked for.
 * @param {Entry} entry @param {{ title: HTMLElement, lead: HTMLElement, begin: HTMLElement }} parts
 */
export function showEntry(entry, { title, lead, begin }) {
  const words = entryWords(entry);
  title.textContent = say(words.title);
  lead.textContent = say(words.lead);
  begin.dataset.upload = String(entry.upload);
}
