/**
 * Makes `<nail-try-on>` known to the page, once, whoever else imported it. Without registering it, or under another name:
 * nail-try-on-element.js.
 */

import { NailTryOn } from "./nail-try-on-element.js";

if (globalThis.customElements && !customElements.get("nail-try-on")) customElements.define("nail-try-on", NailTryOn);

export { NailTryOn };
