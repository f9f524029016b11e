// @ts-nocheck A service worker has other globals than a page; `SHELL` comes from the server (signaling/shell.py).
/**
 * Opens the page where there is no network, so that it can say so. Live try-on itself needs the server.
 *
 * SHELL = { version, files } is set before this line by the server: a hash over the page and its code, and the addresses to
 * keep. Another version is another script to the browser, which installs it beside this one and lets it take over when
 * the last page of this version is closed: no page ever loses what it runs on. Pages come from the network first, so
 * what is deployed shows at once all the same. The API, pictures and sockets never pass through here.
 */

const CACHE = `lacquer-${SHELL.version}`;
const PAGES = ["/", "/try-on/live", "/try-on/live/"];

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(Promise.all([forgetOthers(), preload()])));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate" && PAGES.includes(pathname)) event.respondWith(page(event));
  else if (SHELL.files.includes(pathname)) event.respondWith(file(request));
});

async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll(SHELL.files);
}

async function forgetOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("lacquer-") && name !== CACHE).map((name) => caches.delete(name)));
}

/** Lets the browser ask for the page while this script still starts. */
async function preload() {
  await self.registration.navigationPreload?.enable();
}

/** From the network, else as it was kept. A proxy whose server is gone answers with 502, 503 or 504. */
async function page({ request, preloadResponse }) {
  const kept = () => caches.match("/", { cacheName: CACHE });
  try {
    const response = (await preloadResponse) ?? (await fetch(request));
    return [502, 503, 504].includes(response.status) ? ((await kept()) ?? response) : response;
  } catch {
    return (await kept()) ?? Response.error();
  }
}

/** Its address names its version, so the one that is kept is the right one. */
async function file(request) {
  return (await caches.match(request, { cacheName: CACHE })) ?? fetch(request);
}
