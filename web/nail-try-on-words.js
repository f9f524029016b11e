/** What the element `<nail-try-on>` says of its own, in the language spoken now; the page's words, and two more. */

import { languageFor, say } from "./strings.js";

export function words() {
  return {
    picture: say("page.picture"),
    title: say("element.title"),
    text: say("element.text"),
    start: say("start.camera"),
    demo: say("element.demo"),
    stop: say("button.stop"),
    pause: say("button.pause"),
    resume: say("button.resume"),
    capture: say("button.photo"),
    switch: say("button.switch"),
    designs: say("designs.title"),
    families: say("designs.families"),
    photo: say("photo.title"),
    download: say("button.download"),
    close: say("button.done"),
    retry: say("button.now"),
    allow: say("hint.allow"),
  };
}

/**
 * The element's language: its own, else that of what it lies in, else the browser's.
 * @param {Element} element
 */
export function languageOf(element) {
  const said = element.closest("[lang]")?.getAttribute("lang");
  return languageFor([said, ...navigator.languages]);
}
