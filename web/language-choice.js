/** Which language the page speaks: the address's, else the one chosen here before, else the browser's. */

import { keep, recall } from "./keep.js";
import { LANGUAGES, languageFor, spoken } from "./strings.js";

const KEY = "lacquer.language";

/**
 * @param {string | null} asked of the address, `?lang=`
 * @param {readonly string[]} browsers
 * @param {import("./keep.js").Keeper} [storage]
 */
export function wantedLanguage(asked, browsers, storage) {
  return languageFor([asked, recall(KEY, storage), ...browsers]);
}

/** @param {string} language @param {import("./keep.js").Keeper} [storage] */
export function rememberLanguage(language, storage) {
  keep(KEY, language, storage);
}

/** Fills the chooser. Languages call themselves by their own names. @param {HTMLSelectElement} select */
export function offerLanguages(select) {
  const options = Object.entries(LANGUAGES).map(([language, name]) => {
    const option = new Option(name, language, language === spoken(), language === spoken());
    option.lang = language;
    return option;
  });
  select.replaceChildren(...options);
}

/**
 * The same page in another language, and with the same design.
 * @param {string} address @param {number | null} design
 */
export function addressWith(address, design) {
  const url = new URL(address);
  url.searchParams.delete("lang"); // it would go before what was chosen
  if (design !== null) url.searchParams.set("postId", String(design));
  return url.href;
}
