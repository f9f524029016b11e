/** Types of nail-try-on.js, which makes `<nail-try-on>` known to the page. */

export { NailTryOn } from "./nail-try-on-element.js";
