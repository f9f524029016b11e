/** Elements that change only where what they show has changed: focus, selection and scrolling stay, nothing flickers. */

/** @param {string} id @returns {any} */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no #${id}`);
  return element;
}

/**
 * A new element. `class` and ARIA are attributes, `on…` are listeners.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {(Node | string)[]} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {Element} element @param {string} name @param {string | null} value */
export function mark(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** A length for the style sheet; the page's policy lets scripts set one, and markup not. @param {HTMLElement} element @param {string} name @param {string} value */
export function measure(element, name, value) {
  if (element.style.getPropertyValue(name) !== value) element.style.setProperty(name, value);
}

/**
 * Makes the children of `list` those of `items`, in their order: known ones are updated in place, and moved only where the
 * order changed.
 * @template T
 * @param {Element} list @param {T[]} items
 * @param {{ key: (item: T) => string, create: (item: T) => Element, update: (element: any, item: T) => void }} how
 */
export function keep(list, items, { key, create, update }) {
  const known = new Map([...list.children].map((child) => [/** @type {HTMLElement} */ (child).dataset.key, child]));
  let place = list.firstElementChild;
  for (const item of items) {
    const name = key(item);
    const element = known.get(name) ?? create(item);
    known.delete(name);
    /** @type {HTMLElement} */ (element).dataset.key = name;
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
    update(element, item);
  }
  for (const element of known.values()) element.remove();
}
