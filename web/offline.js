/** Lets the page open without a network, by service-worker.js. */

const WORKER = "/service-worker.js";

/** @typedef {{ createPolicy: (name: string, rules: { createScriptURL: () => string }) => Policy }} TrustedTypes */
/** @typedef {{ createScriptURL: (text: string) => string }} Policy  Its string is a TrustedScriptURL. */

/**
 * Once the page stands. Some never have it, and live try-on needs none: private windows, certificates made at home,
 * plain http. Pages in frames belong to another visit.
 */
export function keepForOffline() {
  const { serviceWorker } = navigator;
  if (!serviceWorker || window.top !== window) return;
  const register = () => serviceWorker.register(trusted(WORKER)).catch(() => {});
  if (document.readyState === "complete") void register();
  else window.addEventListener("load", register, { once: true });
}

/** The page's policy (signaling/security_headers.py) allows script addresses made here alone. @param {string} address */
function trusted(address) {
  const types = /** @type {{ trustedTypes?: TrustedTypes }} */ (/** @type {unknown} */ (window)).trustedTypes;
  return types?.createPolicy("lacquer", { createScriptURL: () => address }).createScriptURL("") ?? address;
}
