/** The button for full screen. Hidden where the browser cannot, as on iPhones. */

import { say } from "./strings.js";

/** @param {HTMLButtonElement} button */
export function fullScreenButton(button) {
  button.hidden = !document.fullscreenEnabled;
  button.onclick = () => {
    const done = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
    done.catch(() => {}); // refused: all is as before
  };
  document.addEventListener("fullscreenchange", () => {
    const full = document.fullscreenElement !== null;
    button.setAttribute("aria-pressed", String(full));
    button.setAttribute("aria-label", say(full ? "button.full_screen_end" : "button.full_screen"));
  });
}
