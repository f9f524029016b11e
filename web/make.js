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
 * A drawing of strokes, hidden from screen readers: the button around it has a name.
 * @param {string} path @param {string} [viewBox]
 * @returns {SVGSVGElement}
 */
export function icon(path, viewBox = "0 0 24 24") {
  const [svg, stroke] = [document.createElementNS(SVG, "svg"), document.createElementNS(SVG, "path")];
  svg.setAttribute("viewBox", viewBox);
  svg.setAttribute("aria-hidden", "true");
  stroke.setAttribute("d", path);
  svg.append(stroke);
  return svg;
}
