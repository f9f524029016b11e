/**
 * "Try it on your phone": the QR code of a server that was started with `--lan`, on desktops, until somebody closes it.
 * main.js loads it on large screens alone; phone-card.css shows it only where there is room, and nothing is live.
 */

import { say } from "./strings.js";

/** What `GET /api/lan` tells, as far as it shows. @typedef {{url: string, qr_svg_url: string}} Lan */

const CLOSED = "lacquer-phone-card-closed";

/**
 * Shows the card in `parent`. Null where there is none to show: no `--lan`, closed before, or framed by a shop's page.
 *
 * @param {HTMLElement} parent
 */
export async function showPhoneCard(parent) {
  if (window.top !== window || sessionStorage.getItem(CLOSED)) return null;
  const lan = await fetchLan();
  if (!lan) return null;
  const card = build(lan);
  parent.append(card);
  return card;
}

/** @returns {Promise<Lan | null>} null of ordinary servers (204), and where it cannot be had: the card is no need */
export async function fetchLan(request = window.fetch.bind(window)) {
  try {
    const response = await request("/api/lan");
    return response.status === 200 ? await response.json() : null;
  } catch {
    return null;
  }
}

/** @param {Lan} lan */
function build({ url, qr_svg_url }) {
  const card = element("aside", { className: "phone-card", ariaLabel: say("phone.title") });
  const close = element("button", { className: "phone-card-close", type: "button", ariaLabel: say("phone.close") });
  close.append(element("span", { textContent: "×", ariaHidden: "true" }));
  close.onclick = () => {
    sessionStorage.setItem(CLOSED, "1");
    card.remove();
    document.getElementById("start")?.focus(); // the button that had it is gone
  };
  const address = element("p", { className: "phone-card-address" });
  address.append("https://", element("wbr", {}), url.replace("https://", ""));
  const warning = element("details", {});
  warning.append(
    element("summary", { textContent: say("phone.warning") }),
    ...["phone.meaning", "phone.iphone", "phone.android"].map((key) => element("p", { textContent: say(key) })),
  );
  card.append(
    element("h2", { textContent: say("phone.title") }),
    element("img", { src: qr_svg_url, alt: say("phone.code", { url }), width: 140, height: 140 }),
    element("p", { textContent: say("phone.lead") }),
    address,
    warning,
    close,
  );
  return card;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Partial<HTMLElementTagNameMap[K]>} properties
 */
function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}
