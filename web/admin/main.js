/** The operator's page: asks for the admin token, then shows the board. Nothing is here without the token. */

import { Board } from "./board.js";
import { Door, showView } from "./door.js";
import { byId, say } from "./dom.js";
import { WORDS, WRONG_TOKEN } from "./words.js";

/** @type {Board | null} */
let board = null;

/** @param {string} [problem] */
function leave(problem) {
  board?.stop();
  board = null;
  door.close(problem);
}

for (const element of document.querySelectorAll("[data-say]")) {
  say(element, WORDS[/** @type {HTMLElement} */ (element).dataset.say ?? ""]);
}

const door = new Door((client) => {
  board?.stop();
  showView("board");
  board = new Board(client, () => leave(WRONG_TOKEN));
});

byId("sign-out").onclick = () => {
  leave();
  location.reload(); // nothing that was shown stays in the page
};
door.start();
