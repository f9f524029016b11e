/** Wires the page to the session: buttons in, states and pictures out. What happens is decided in session.js. */

import { Api } from "./api.js";
import { closeCamera, countCameras, isMirror, openCamera, resizeCamera, sameCamera, switchCamera } from "./camera.js";
import { Captures } from "./captures.js";
import { CompareHandle } from "./compare-handle.js";
import { DetailsSheet } from "./details-sheet.js";
import { announcement, designName } from "./design-words.js";
import { entryOf, showEntry } from "./entry.js";
import { asTryOnError, isHopeless, isServers, TryOnError, whyItWaits, wordsFor } from "./errors.js";
import { familyName, familyOf } from "./families.js";
import { fullScreenButton } from "./full-screen.js";
import { addressWith, offerLanguages, rememberLanguage, wantedLanguage } from "./language-choice.js";
import { Manicure } from "./manicure.js";
import { MessageBox } from "./message-box.js";
import { keepForOffline } from "./offline.js";
import { PhotoSheet } from "./photo-sheet.js";
import { Recent } from "./recent.js";
import { followKeyboard, SearchField } from "./search-field.js";
import { SavedSheet } from "./saved-sheet.js";
import { TryOnSession } from "./session.js";
import { say, sayPage, useLanguage } from "./strings.js";
import { Strip } from "./strip.js";
import { StylePanel } from "./style-panel.js";
import { nailAt } from "./tap.js";
import { throttle } from "./throttle.js";
import { Torch } from "./torch.js";
import { webrtcAvailable, webrtcFactory } from "./transport-webrtc.js";
import { WebSocketTransport } from "./transport-websocket.js";
import { WakeLock } from "./wake-lock.js";
import { configOf, forAnotherDesign, forAnotherPhoto, NO_WISHES, wishNail } from "./wishes.js";
import { hintWords, remedyWords, stateWords } from "./words.js";

/** @typedef {"camera" | "demo"} Kind */
/** @typedef {import("./session.js").TransportFactory} TransportFactory */

/** A connection that is back sooner is only mentioned in the state, above the picture. */
const SHORT_LOSS_MS = 900;

const HINT_MS = 3000;

/** What is said where there is nothing to wear: without a network, or by a server that is not well. */
const NO_DESIGNS = ["server_unreachable", "designs_unavailable"];

/** @template {HTMLElement} [E=HTMLElement] @param {string} id @returns {E} */
const byId = (id) => /** @type {E} */ (document.getElementById(id));
/** @param {string} id */
const button = (id) => /** @type {HTMLButtonElement} */ (byId(id));

const parameters = new URLSearchParams(location.search);
const entry = entryOf(parameters);
const language = wantedLanguage(parameters.get("lang"), navigator.languages);
if (language !== "en") {
  await useLanguage(language);
  sayPage(document);
}
const socketOnly = parameters.get("transport") === "websocket" || !webrtcAvailable();
const picture = byId("picture");
const preview = /** @type {HTMLVideoElement} */ (byId("preview"));
const message = new MessageBox(byId("message"));
const recent = new Recent();
const strip = new Strip(
  { designs: byId("strip"), families: byId("families") },
  {
    onSelect: () => {
      wishes = forAnotherDesign(wishes);
      showWearing();
      wear();
      rememberWorn();
      byId("said").textContent = strip.selected ? announcement(strip.selected) : "";
    },
    onFamily: () => searchField.clear(),
  },
);
const searchField = new SearchField(
  { row: byId("search"), opener: button("search-open"), sentence: byId("found") },
  (text) => strip.search(text),
);
followKeyboard(window.visualViewport);
const openers = { style: button("style-open"), wearing: button("wearing") };
const stylePanel = new StylePanel(byId("style"), openers, (wanted) => {
  wishes = wanted;
  wear();
});
const compareHandle = new CompareHandle(byId("compare-handle"), button("compare"), view, (compare) =>
  session.configure({ compare }),
);
/** Colours are searched for by dragging. */
const wear = throttle(() => session.configure(worn()));

const api = new Api();
const session = new TryOnSession({ api, transports: transports() });
const detailsSheet = new DetailsSheet(
  /** @type {HTMLDialogElement} */ (byId("details")),
  button("details-open"),
  session,
);
const savedSheet = new SavedSheet(
  /** @type {HTMLDialogElement} */ (byId("saved")),
  [button("saved-open"), button("saved-start")],
  api,
);
const photoSheet = new PhotoSheet(/** @type {HTMLDialogElement} */ (byId("photo")), async (photo, shows) => {
  if (session.id === null) throw new TryOnError("session_ended");
  await api.save({ session_id: session.id }, photo, { view: shows });
  savedSheet.remember();
});
new Captures({ shutter: button("capture"), mode: button("mode"), flash: byId("flash"), preview }, session, photoSheet, {
  design: () => strip.selected?.name ?? "",
  onProblem: (error) => message.show(asTryOnError(error).code, { forMs: 6000 }),
});
const torch = new Torch(button("torch"));
const wakeLock = new WakeLock();
const photoFile = /** @type {HTMLInputElement} */ (byId("photo-file"));
const manicure = new Manicure(api, /** @type {HTMLDialogElement} */ (byId("upload")), photoFile, {
  onWear: wearOwn,
  onAssign: (finger, nail) => {
    wishes = wishNail(wishes, finger, nail);
    showWearing();
    manicure.show(wishes);
  },
  onGo: (wanted) => void startAnew(wanted),
});
/** For tests and the curious: `lacquer.state`, `lacquer.stats()`, `lacquer.lastMetadata`. */
Object.assign(window, { lacquer: session });

/** @type {Kind} */
let kind = "camera";
/** What the person wants differently from the design. */
let wishes = NO_WISHES;
let pausedByHiding = false;
let nailsSeenAt = 0;
/** Until then the hint answers a touch. */
let hintUntil = 0;

// --- starting and stopping -------------------------------------------------------------------------------------------

/** @param {Kind} wanted */
async function start(wanted) {
  if (!["idle", "ended", "failed"].includes(session.state)) return;
  kind = wanted;
  message.hide();
  if (!strip.selected && !(await loadDesigns())) return;
  const portrait = matchMedia("(orientation: portrait)").matches;
  const openHand = async () => {
    const { openDemoHand } = await import("./demo-hand.js"); // few ask for it
    return openDemoHand({ portrait, videoRange: !socketOnly });
  };
  const openSource = kind === "demo" ? openHand : openOrReopen;
  session.configure(worn());
  const design = strip.selected ? strip.selected.id : 1;
  await session.start({ openSource, design, openSession: manicure.openSession });
}

/** @param {MediaStream} [lost] */
function openOrReopen(lost) {
  return openCamera(lost && sameCamera(lost), session.settings.quality);
}

/** In place of what runs now. @param {Kind} wanted */
async function startAnew(wanted) {
  session.stop();
  await start(wanted);
}

/** Again with what was used last: the camera, or the demo hand. */
const startAgain = () => start(kind);

/** @returns {Promise<boolean>} whether there are designs to wear */
async function loadDesigns() {
  try {
    strip.showRecent(recent.ids);
    strip.show(await api.designs(), entry.postId);
    showWearing();
    if (NO_DESIGNS.includes(message.code ?? "")) message.hide();
    const { id, name } = strip.selected ?? {};
    if (entry.postId !== null && id !== entry.postId) message.show("unknown_design", { forMs: 8000 });
    else if (entry.postId !== null && !entry.upload) byId("lead").textContent = say("start.begins_with", { name: name ?? "" });
    return true;
  } catch (error) {
    console.warn("lacquer:", error);
    const code = NO_DESIGNS.find((code) => code === asTryOnError(error).code) ?? "designs_unavailable";
    message.show(code, { label: wordsFor(code).action ?? "", act: loadDesigns });
    return false;
  }
}

/** WebRTC where there is some, then single pictures; `?transport=websocket` for those alone. */
function transports() {
  /** @type {TransportFactory} */
  const socket = (options) => new WebSocketTransport(options);
  if (socketOnly) return [socket];
  const webrtc = webrtcFactory(parameters.get("codec"));
  return parameters.get("transport") === "webrtc" ? [webrtc] : [webrtc, socket];
}

// --- what is worn ------------------------------------------------------------------------------------------------------

/** As `config` takes it. @returns {import("./messages.js").Settings} */
function worn() {
  const { id } = strip.selected ?? { id: 1 };
  return { design: id, ...configOf(wishes, { nails: id === null }) };
}

/** For the family “Recent”, which another visit has as well. */
function rememberWorn() {
  recent.add(strip.selected?.id ?? null);
  strip.showRecent(recent.ids);
}

/** What is seen now, for the handle over it. @returns {import("./compare.js").View | null} */
function view() {
  const output = document.getElementById("output");
  if (!output) return null;
  const { clientWidth: width, clientHeight: height } = picture;
  return { stage: { width, height }, frame: frameSize(output), mirrored: picture.dataset.mirrored === "true" };
}

/** @param {HTMLElement} output */
function frameSize(output) {
  if (output instanceof HTMLVideoElement) return { width: output.videoWidth, height: output.videoHeight };
  return /** @type {HTMLCanvasElement} */ (output);
}

/** The nails of a photo are a design like the others. @param {import("./api.js").Design} design */
function wearOwn(design) {
  wishes = forAnotherPhoto(wishes);
  strip.wearOwn(design);
  showWearing();
  manicure.show(wishes);
}

// --- what the session says -------------------------------------------------------------------------------------------

session.on("state", ({ from, to, error }) => {
  document.body.dataset.state = to;
  showState();
  button("pause").disabled = to !== "live" && to !== "paused";
  button("pause").setAttribute("aria-pressed", String(to === "paused"));
  button("pause").setAttribute("aria-label", say(to === "paused" ? "button.resume" : "button.pause"));
  void updateSwitch();
  if (to === "live") nailsSeenAt = performance.now();
  if (to === "live") rememberWorn();
  if (to === "live") torch.follow(/** @type {MediaStream} */ (preview.srcObject));
  wakeLock.want(["connecting", "live", "reconnecting"].includes(to));
  showHint(to === "starting" && kind === "camera" ? say("hint.allow") : "");
  if (to === "reconnecting") setTimeout(() => message.code ?? showReconnecting(), SHORT_LOSS_MS);
  else if (error) showFailure(error);
  else if (!(from === "starting" && to === "connecting")) message.hide();
  button("start").textContent = (error && wordsFor(error.code).action) ?? say("start.camera");
  button("start").hidden = error !== null && isHopeless(error.code);
  button("demo").hidden = error !== null && isServers(error.code);
  if (to === "idle" || to === "ended" || to === "failed") {
    clearPicture();
    stylePanel.close();
    detailsSheet.close();
  }
});

/** @param {import("./errors.js").TryOnError} error */
function showFailure(error) {
  message.show(error.code);
  if (error.retryAfter !== undefined) message.countDown(error.retryAfter, startAgain);
}

/** Most losses are over before anybody could read about them. */
function showReconnecting(code = "connection_lost") {
  if (session.state === "reconnecting") message.show(code, { label: say("button.now"), act: () => session.retryNow() });
}

session.on("retry", ({ delayMs, error }) => {
  if (session.state !== "reconnecting" || delayMs <= SHORT_LOSS_MS) return;
  showReconnecting(whyItWaits(error.code));
  message.countDown(delayMs / 1000);
});

session.on("problem", (error) => message.show(error.code, { forMs: 6000 }));

session.on("camera", ({ code }) => {
  message.show(code, { label: wordsFor(code).action ?? "", act: () => session.checkCamera() });
});

session.on("path", ({ kind: way }) => {
  if (way === "websocket" && parameters.get("transport") !== "websocket") message.show("slow_path", { forMs: 8000 });
});

session.on("quality", showState);

/** @type {string | undefined} */
let sized;
session.on("settings", ({ quality }) => {
  const stream = /** @type {MediaStream | null} */ (preview.srcObject);
  if (quality === sized || !stream || kind === "demo") return;
  sized = quality;
  void resizeCamera(stream, quality ?? "auto");
});

session.on("source", ({ stream }) => {
  if (message.code === "camera_lost") message.hide();
  picture.dataset.mirrored = String(kind === "camera" && isMirror(stream));
  compareHandle.update();
  preview.srcObject = stream;
  torch.follow(stream);
  void preview.play().catch(() => {}); // only a backdrop while connecting
  void updateSwitch();
});

session.on("output", ({ element }) => {
  for (const pending of picture.querySelectorAll(":scope > :not(#preview, #output)")) pending.remove();
  picture.prepend(element);
});

session.on("frame", ({ first }) => {
  if (!first) return;
  const output = /** @type {HTMLElement} */ (picture.querySelector(":scope > :not(#preview, #output)"));
  document.getElementById("output")?.remove();
  output.id = "output";
  compareHandle.update();
  if (performance.getEntriesByName("lacquer-first-frame").length === 0) performance.mark("lacquer-first-frame");
});

session.on("metadata", ({ hands, nails }) => {
  const now = performance.now();
  if (nails.length > 0) nailsSeenAt = now;
  if (session.state !== "live" || now <= hintUntil) return;
  const { quality, factor } = session.stats();
  showHint(now - nailsSeenAt < 2500 ? remedyWords(quality, factor) : hintWords(hands));
});

function showState() {
  const { quality, factor } = session.stats();
  const state = byId("state");
  const [word, level] = state.children;
  const words = stateWords(session.state);
  // The quality comes and goes with every passing cloud: to be seen, but not to be read aloud each time.
  if (word.textContent !== words) word.textContent = words;
  level.textContent = stateWords(session.state, quality, factor).slice(words.length);
  state.dataset.level = quality ?? "";
}

/** @param {string} words empty for none */
function showHint(words) {
  if (byId("hint").textContent !== words) byId("hint").textContent = words;
}

function showWearing() {
  const [name, family] = byId("wearing").children;
  name.textContent = strip.selected ? designName(strip.selected) : "";
  family.textContent = strip.selected ? familyName(familyOf(strip.selected)) : "";
  stylePanel.show(wishes, strip.selected);
}

function clearPicture() {
  for (const output of picture.querySelectorAll(":scope > :not(#preview)")) output.remove();
  preview.srcObject = null;
}

async function updateSwitch() {
  const running = ["live", "paused"].includes(session.state) && kind === "camera";
  button("switch").disabled = !running || (await countCameras()) < 2;
}

// --- what the person does --------------------------------------------------------------------------------------------

button("start").onclick = () => (session.error ? startAgain() : start("camera"));
button("demo").onclick = () => start("demo");
button("stop").onclick = () => {
  session.stop();
  button("start").focus(); // the button that had it is gone
};
button("pause").onclick = () => (session.state === "paused" ? session.resume() : session.pause());

button("switch").onclick = async () => {
  button("switch").disabled = true;
  const stream = /** @type {MediaStream} */ (preview.srcObject);
  try {
    await session.replaceSource(await switchCamera(stream));
  } catch (error) {
    if (session.state !== "failed") message.show(asTryOnError(error).code, { forMs: 6000 });
  } finally {
    void updateSwitch();
  }
};

fullScreenButton(button("full-screen"));

const languages = /** @type {HTMLSelectElement} */ (byId("language"));
offerLanguages(languages);
languages.onchange = () => {
  rememberLanguage(languages.value);
  location.assign(addressWith(location.href, strip.selected?.id ?? null));
};

for (const id of ["photo-start", "photo-add"]) button(id).onclick = () => manicure.choose();
manicure.listen(document);

picture.addEventListener("click", ({ clientX, clientY }) => {
  const output = document.getElementById("output");
  // A browser that refuses to play without a touch gets one here.
  if (output instanceof HTMLVideoElement && session.state === "live") void output.play().catch(() => {});
  const { left, top } = picture.getBoundingClientRect();
  choose([clientX - left, clientY - top]);
});

/** For the finger whose nail was touched. @param {[number, number]} touch */
function choose(touch) {
  const [seen, metadata] = [view(), session.lastMetadata];
  if (!seen || !metadata || !["live", "paused"].includes(session.state)) return;
  const nail = nailAt(touch, metadata.nails, { ...seen, frame: metadata });
  if (nail?.finger) return stylePanel.openFor(/** @type {import("./wishes.js").Finger} */ (nail.finger));
  if (!nail) return;
  hintUntil = performance.now() + HINT_MS;
  showHint(say("hint.nameless"));
  setTimeout(() => session.state === "paused" && showHint(""), HINT_MS); // live, the next frame's hint follows
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) void wakeLock.renew();
  if (!document.hidden) session.checkCamera();
  if (document.hidden && session.state === "live") {
    pausedByHiding = true;
    session.pause();
  } else if (!document.hidden && pausedByHiding) {
    pausedByHiding = false;
    session.resume();
  }
});
window.addEventListener("online", () => {
  session.networkChanged();
  if (!strip.selected) void loadDesigns();
});
/** @type {any} */ (navigator).connection?.addEventListener?.("change", () => session.networkChanged());
navigator.mediaDevices?.addEventListener?.("devicechange", () => session.checkCamera());

let wasRunning = false;
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted && wasRunning) void start(kind); // from the back/forward cache
});
window.addEventListener("pagehide", () => {
  wasRunning = !["idle", "ended", "failed"].includes(session.state);
  closeCamera(/** @type {MediaStream | null} */ (preview.srcObject));
  session.stop();
  manicure.discard();
});

for (const id of ["pause", "switch"]) button(id).disabled = true;
if (matchMedia("(min-width: 1240px)").matches) {
  void import("./phone-card.js").then(({ showPhoneCard }) => showPhoneCard(document.body));
}
showEntry(entry, { title: byId("title"), lead: byId("lead"), begin: byId("begin") });
if (entry.upload) button("photo-start").focus(); // browsers open files for a touch alone
keepForOffline();
void loadDesigns().then((loaded) => {
  if (loaded && parameters.get("demo") === "1") void start("demo");
});
