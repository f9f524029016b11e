/** The way in: the token, typed once and remembered by this tab alone. */

import { AdminClient, Refused, failedLater, isSendable } from "./client.js";
import { byId, say } from "./dom.js";
import { WRONG_TOKEN } from "./words.js";

const KEY = "lacquer-admin-token";
const VIEWS = ["sign-in", "no-token", "unreachable", "board"];
const AGAIN_MS = 2000;

/** @param {string} view */
export function showView(view) {
  document.body.dataset.view = view;
  for (const name of VIEWS) byId(name).hidden = name !== view;
  for (const name of ["pulse", "sign-out", "footer"]) byId(name).hidden = view !== "board";
}

export class Door {
  #open;

  /** @param {(client: AdminClient) => void} open called with a client whose token is right */
  constructor(open) {
    this.#open = open;
    byId("insecure").hidden = isSecureContext;
    byId("sign-in-form").onsubmit = (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      this.#submit();
    };
    byId("look-again").onclick = () => this.try(null);
  }

  /** With the token that this tab remembers, if any. */
  start() {
    return this.try(sessionStorage.getItem(KEY));
  }

  /** The token was refused while the page was open, or the operator signs out. @param {string} [problem] */
  close(problem = "") {
    sessionStorage.removeItem(KEY);
    this.#ask(problem);
  }

  async #submit() {
    const field = byId("token");
    const token = field.value.trim();
    byId("sign-in-problem").textContent = "";
    if (isSendable(token)) await this.try(token);
    else this.#ask(WRONG_TOKEN);
  }

  /** @param {string | null} token */
  async try(token) {
    const client = new AdminClient(token);
    try {
      await client.overview();
    } catch (error) {
      const refusal = /** @type {Refused} */ (error);
      if (!failedLater(refusal)) {
        this.#refused(token, refusal);
        return;
      }
    }
    if (token !== null) sessionStorage.setItem(KEY, token);
    byId("token").value = "";
    this.#open(client);
  }

  /** @param {string | null} token @param {Refused} refusal */
  #refused(token, { status }) {
    if (status === 401) this.close(token === null ? "" : WRONG_TOKEN);
    else if (status === 403) showView("no-token");
    else {
      showView("unreachable");
      setTimeout(() => this.try(token), AGAIN_MS);
    }
  }

  /** @param {string} problem */
  #ask(problem) {
    showView("sign-in");
    say(byId("sign-in-problem"), problem);
    byId("token").toggleAttribute("aria-invalid", Boolean(problem));
    byId("token").focus();
    byId("token").select();
  }
}
