/** All that the operator's page says, in English, in one place. Pure. */

/** @typedef {import("./client.js").Session} Session */

/** Texts of index.html, by their `data-say`. @type {Record<string, string>} */
export const WORDS = {
  operator: "operator",
  signOut: "Sign out",
  signInTitle: "Look after this server",
  signInText: "Workers, sessions, errors and results are shown to whoever knows the admin token.",
  token: "Admin token",
  signIn: "Open",
  tokenStays: "It is the server’s LACQUER_ADMIN_TOKEN. This tab remembers it until it is closed, and nothing else does.",
  insecure: "This page came over plain http, so others in the network can read the token. Use https where it is not this machine.",
  noTokenTitle: "No admin token is set",
  noTokenText: "Nobody can look after this server from here until its operator sets one, of 16 characters or more, and starts it again:",
  noTokenNote: "Keep it as you keep a password. Several signaling processes need the same one.",
  lookAgain: "Look again",
  unreachableTitle: "The server does not answer",
  unreachableText: "Trying again every two seconds.",
  load: "Load",
  history: "Places taken, over the last five minutes",
  workers: "Workers",
  noWorkers: "No media worker is known. `lacquer serve` starts its own; others are started by `lacquer worker`.",
  sessions: "Sessions",
  session: "Session",
  wears: "Wears",
  worker: "Worker",
  here: "Here for",
  fps: "Frames a second",
  latency: "Latency",
  dropped: "Dropped",
  confidence: "Confidence",
  actions: "Actions",
  noSessions: "Nobody is here. Sessions appear as soon as somebody starts a try-on.",
  more: "Show more",
  errors: "Recent errors",
  noErrors: "No warnings and no errors since this process started.",
  results: "Newest results",
  noResults: "Nobody has kept a picture yet.",
  picturesOff: "Pictures are off, because they show people. LACQUER_ADMIN_THUMBNAILS=true lets operators see small ones.",
  cancel: "Cancel",
};

export const WRONG_TOKEN = "This is not the admin token of this server.";
export const DRAIN = "Drain";
export const UNDRAIN = "Reopen";
export const END = "End";

/** @param {number} count @param {string} one @param {string} [many] */
export function number(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

// --- load -----------------------------------------------------------------------------------------------------------
/** @typedef {import("./load.js").Places} Places */

/** What each kind of place is called. @type {Record<keyof Places, string>} */
export const KINDS = { taken: "taken", leaving: "draining", free: "free", closed: "out of service" };

/** @param {Places} places */
export function headline({ taken, leaving, free }) {
  const inService = taken + leaving + free;
  return { figure: `${taken + leaving} of ${inService}`, rest: inService === 1 ? "place taken" : "places taken" };
}

/** For who cannot see a bar. @param {string} whose @param {Places} places */
export function bar(whose, places) {
  const parts = Object.entries(KINDS).flatMap(([kind, name]) => {
    const count = places[/** @type {keyof Places} */ (kind)];
    return count ? [`${count} ${name}`] : [];
  });
  return `${whose}: ${parts.join(", ") || "no places"}`;
}

/** @param {import("./client.js").Worker} worker */
export function workerName({ id, url }) {
  return id || url;
}

/** @param {import("./client.js").Worker} worker @param {boolean} told how far draining it is, elsewhere */
export function workerState({ live, draining, load, capacity }, told) {
  if (!live) return "does not answer";
  if (draining) return (load ? "draining" : "drained") + (told ? "" : load ? `, ${load} still there` : ", empty");
  return load >= capacity ? "full" : `${capacity - load} free`;
}

// --- draining -------------------------------------------------------------------------------------------------------
/** @param {string} name @param {number} people @param {number} freeElsewhere */
export function askDrain(name, people, freeElsewhere) {
  const who = people === 0 ? "Nobody is on it." : `${number(people, "person is", "people are")} on it. `;
  const where =
    people === 0
      ? ""
      : freeElsewhere >= people
        ? "They connect to other workers within seconds, and keep what they wear."
        : freeElsewhere === 0
          ? "There is no free place on other workers: they will be told that it is full."
          : `Only ${number(freeElsewhere, "place is", "places are")} free on other workers: some will be told that it is full.`;
  return {
    title: `Drain ${name}?`,
    text: `${who}${where} Nobody new is let in until you say so.`.replace("  ", " "),
    yes: DRAIN,
  };
}

/** What became of a drain. @param {import("./drains.js").Outcome} outcome */
export function drained({ state, left, moved, over, homeless, seconds }) {
  const went = [
    moved && `${moved} connected elsewhere`,
    over && `${over} ended`,
    homeless && `${homeless} without a place`,
  ].filter(Boolean);
  const people = went.length ? ` ${went.join(", ")}.` : "";
  if (state === "gone") return `It has left.${people}`;
  if (state === "empty") return `Empty after ${Math.round(seconds)} s: it can be stopped.${people}`;
  return `Emptying, ${left} still there.${people}`;
}

/** @param {Session} session */
export function askEnd(session) {
  const name = shortId(session.session_id);
  return {
    title: `End session ${name}?`,
    text: `Whoever is trying on ${session.design.name} sees that the session has ended, and can start another one.`,
    yes: "End it",
  };
}

// --- sessions -------------------------------------------------------------------------------------------------------
/** @param {string} id */
export function shortId(id) {
  return id.slice(0, 8);
}

/** @param {Session} session */
export function sessionState({ status, connections, worker }) {
  if (status === "created") return "waits for a camera";
  if (worker === null || connections === 0) return "not connected";
  return connections === null ? "no report" : "connected";
}

/** @param {number} ms */
export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h` : number(Math.floor(seconds / 86400), "day");
}

/** @param {number} ms */
export function ago(ms) {
  return ms < 5000 ? "just now" : `${duration(ms)} ago`;
}

/** @param {number} since ms @param {number} left ms */
export function times(since, left) {
  return { since: duration(since), left: `${duration(left)} left` };
}

/** @param {number | null} share */
export function percent(share) {
  if (share === null) return "–";
  return share > 0 && share < 0.01 ? "<1 %" : `${Math.round(share * 100)} %`;
}

/** @param {{ p50: number, p95: number } | null} latency */
export function latency(latency) {
  return latency ? { main: `${Math.round(latency.p50)} ms`, more: `p95 ${Math.round(latency.p95)}` } : { main: "–", more: "" };
}

/** @param {Record<string, number>} byReason */
export function dropReasons(byReason) {
  return Object.entries(byReason)
    .filter(([, count]) => count)
    .map(([reason, count]) => `${reason.replaceAll("_", " ")} ${count.toLocaleString("en")}`)
    .join(", ");
}

// --- errors ---------------------------------------------------------------------------------------------------------
/** @param {string[]} processes */
export function errorsOf(processes) {
  const names = processes.join(", ");
  return processes.length > 1
    ? `Of the signaling processes that answered this page so far: ${names}. Workers write their own log.`
    : `Of signaling process ${names} alone. Other processes and the workers write their own log.`;
}

/** @param {import("./client.js").Trouble} error */
export function errorDetails({ code, kind, worker, session_id: session }) {
  return [code, kind, worker && `worker ${worker}`, session && `session ${shortId(session)}`].filter(Boolean).join(" · ");
}

// --- the page itself ------------------------------------------------------------------------------------------------
/** @param {import("./client.js").Overview} overview @param {number} now */
export function footer({ process: { name, version, started_at: startedAt } }, now) {
  return `Answered by ${name}, Lacquer ${version}, up for ${duration(now - Date.parse(startedAt))}. Sessions and results are those of the whole database.`;
}

export const PULSE = { fresh: "Live", stale: "No answer, trying again", hidden: "Paused" };

/** @param {string[]} parts */
export function missing(parts) {
  return `Shown as it was: ${parts.join(", ")} could not be read just now.`;
}

/** @param {string} what @param {string} why */
export function failed(what, why) {
  return `${what} did not work: ${why}`;
}

/** @param {string} name */
export function undrained(name) {
  return `${name} takes people in again.`;
}

/** @param {string} id */
export function ended(id) {
  return `Session ${shortId(id)} has ended.`;
}

/** @param {import("./client.js").Result} result @param {number} age ms */
export function result({ design, width, height }, age) {
  return { name: design?.name ?? "from a photo", size: `${width}×${height}`, age: ago(age) };
}
