/** Makes elements without writing HTML: pages with a strict policy (CSP, Trusted Types) allow nothing else. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Record<string, string>} [attributes] @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * A part of a drawing.
 * @param {string} tag @param {Record<string, string>} attributes @param {Node[]} children
 * @returns {SVGElement}
 */
export function draw(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return /** @type {SVGElement} */ (element);
}

/**
 * A drawing of strokes, hidden from screen readers: the button around it has a name.
 * @param {string} path @param {string} [viewBox]
 */
export function icon(path, viewBox = "0 0 24 24") {
  return draw("svg", { viewBox, "aria-hidden": "true" }, draw("path", { d: path }));
}
