/** The operator's page without a page: places, drains, errors of several processes, figures, polling, words. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { AdminClient, failedLater, isSendable, Refused } from "../../web/admin/client.js";
import { Drains } from "../../web/admin/drains.js";
import * as figures from "../../web/admin/figures.js";
import { History, SPAN_MS } from "../../web/admin/history.js";
import { allPlaces, freeElsewhere, inOrder, MAX_BOXES, places, segments } from "../../web/admin/load.js";
import { Poller } from "../../web/admin/poller.js";
import { Troubles } from "../../web/admin/troubles.js";
import * as words from "../../web/admin/words.js";
import { FakeClock, settle } from "./fakes.js";

const ADMIN = new URL("../../web/admin/", import.meta.url);
const HTML = readFileSync(new URL("index.html", ADMIN), "utf8");
const SCRIPTS = readdirSync(ADMIN)
  .filter((name) => name.endsWith(".js"))
  .map((name) => [name, readFileSync(new URL(name, ADMIN), "utf8")]);

const worker = (id, load, more = {}) => ({ id, url: `http://${id}`, region: "", live: true, draining: false, capacity: 4, load, ...more });
const session = (id, on, more = {}) => ({ session_id: id, worker: on, status: "active", connections: on && 1, ...more });

// --- load -----------------------------------------------------------------------------------------------------------
test("places are taken, free, being left, or out of service", () => {
  assert.deepEqual(places(worker("a", 3)), { taken: 3, leaving: 0, free: 1, closed: 0 });
  assert.deepEqual(places(worker("a", 3, { draining: true })), { taken: 0, leaving: 3, free: 0, closed: 1 });
  assert.deepEqual(places(worker("a", 3, { live: false })), { taken: 0, leaving: 0, free: 0, closed: 4 });
  assert.deepEqual(places(worker("a", 9)), { taken: 4, leaving: 0, free: 0, closed: 0 }, "reservations may exceed it");
  assert.deepEqual(allPlaces([worker("a", 1), worker("b", 2, { draining: true })]), { taken: 1, leaving: 2, free: 3, closed: 2 });
});

test("a bar has a box for each place, or one for each kind where there are many", () => {
  assert.deepEqual(
    segments({ taken: 2, leaving: 0, free: 1, closed: 0 }).map(({ kind }) => kind),
    ["taken", "taken", "free"],
  );
  assert.deepEqual(segments({ taken: MAX_BOXES, leaving: 0, free: 1, closed: 0 }), [
    { kind: "taken", size: MAX_BOXES },
    { kind: "free", size: 1 },
  ]);
});

test("workers stay in their places, in whatever order they are listed", () => {
  const [one, two, unheard] = [worker("b", 0), worker("a", 0), worker("", 0, { url: "http://c" })];
  assert.deepEqual(inOrder([unheard, one, two]), [two, one, unheard]);
  assert.deepEqual(inOrder([two, unheard, one]), [two, one, unheard]);
});

test("only open workers have places for people of another one", () => {
  const workers = [worker("a", 2), worker("b", 3), worker("c", 0, { draining: true }), worker("d", 0, { live: false })];
  assert.equal(freeElsewhere(workers, "a"), 1);
});

test("the history is a line of steps over the last five minutes, and is bounded", () => {
  const history = new History();
  assert.deepEqual(history.paths(300, 50, 0), { line: "", area: "" });
  for (let at = 0; at <= 2 * SPAN_MS; at += 1000) history.add(at, at < 1.5 * SPAN_MS ? 0 : 1);
  const { line, area } = history.paths(300, 50, 2 * SPAN_MS);
  assert.match(line, /^M0\.0 48\.0/);
  assert.match(line, /H150\.0V2\.0/);
  assert.match(line, /H300$/);
  assert.ok(area.startsWith(line) && area.endsWith("V50H0.0Z"));
  assert.ok(line.split("H").length < 310);
});

// --- drains ---------------------------------------------------------------------------------------------------------
test("what becomes of a drained worker's people is told", () => {
  const drains = new Drains();
  const left = [session("5", "a", { connections: 0 }), session("6", "a", { connections: null })];
  drains.begin("a", [session("1", "a"), session("2", "a"), session("3", "a"), session("4", "b"), ...left], 0);
  assert.equal(words.drained(drains.outcome("a")), "Emptying, 3 still there.");
  drains.look([worker("a", 1, { draining: true }), worker("b", 2)], [session("1", "b"), session("2", "a"), session("4", "b")], 2000);
  assert.equal(words.drained(drains.outcome("a")), "Emptying, 1 still there. 1 connected elsewhere, 1 ended.");
  drains.look([worker("a", 0, { draining: true })], [session("1", "b"), session("2", null)], 4000);
  assert.equal(drains.outcome("a").homeless, 1);
  drains.look([worker("a", 0, { draining: true })], [session("1", "b"), session("2", "a")], 60_000);
  assert.equal(
    words.drained(drains.outcome("a")),
    "Empty after 4 s: it can be stopped. 1 connected elsewhere, 1 ended, 1 without a place.",
  );
  drains.look([worker("b", 1)], [session("1", "b")], 70_000);
  assert.deepEqual(drains.gone([worker("b", 1)]).map(({ id }) => id), ["a"]);
  assert.match(words.drained(drains.outcome("a")), /^It has left\./);
});

test("a drain that somebody else took back is forgotten, but not before the server knows of it", () => {
  const drains = new Drains();
  drains.begin("a", [], 0);
  drains.look([worker("a", 0)], [], 1000);
  assert.ok(drains.outcome("a"));
  drains.look([worker("a", 0)], [], 8000);
  assert.equal(drains.outcome("a"), undefined);
});

test("the question says where people would go", () => {
  assert.match(words.askDrain("a", 0, 0).text, /^Nobody is on it\. Nobody new/);
  assert.match(words.askDrain("a", 2, 5).text, /^2 people are on it\. They connect to other workers/);
  assert.match(words.askDrain("a", 1, 0).text, /^1 person is on it\. There is no free place/);
  assert.match(words.askDrain("a", 3, 1).text, /Only 1 place is free on other workers: some will be told/);
});

// --- errors, sessions -----------------------------------------------------------------------------------------------
test("errors of every process that answered are kept, newest first, as it said last", () => {
  const troubles = new Troubles();
  const error = (event, at) => ({ event, last_at: new Date(at).toISOString() });
  troubles.add({ process: "one:1", errors: [error("old", 1000)] });
  troubles.add({ process: "two:2", errors: [error("new", 3000)] });
  troubles.add({ process: "one:1", errors: [error("middle", 2000), error("old", 1000)] });
  assert.deepEqual(
    troubles.newest(2).map(({ event, process }) => [event, process]),
    [
      ["new", "two:2"],
      ["middle", "one:1"],
    ],
  );
  assert.match(words.errorsOf(troubles.processes), /one:1, two:2/);
  assert.match(words.errorsOf(["one:1"]), /one:1 alone/);
  for (let number = 0; number < 40; number += 1) troubles.add({ process: `more:${number}`, errors: [] });
  assert.equal(troubles.processes.length, 16);
});

test("a pause is no loss, and what is not connected has no frame rate", () => {
  const statistics = { frames_in: 200, frames_dropped: { superseded: 10, paused: 90 }, fps: 29, latency_ms: {} };
  const live = session("1", "a", { statistics, nails: 4, confidence: 0.9 });
  assert.equal(figures.dropped(live), 0.05);
  assert.equal(figures.dropped({ statistics: { ...statistics, frames_in: 0 } }), null);
  assert.equal(figures.fps(live), 29);
  assert.equal(figures.confidence(live), 0.9);
  assert.equal(figures.latency(live), null);
  for (const away of [{ ...live, worker: null }, { ...live, connections: 0 }]) {
    assert.equal(figures.fps(away), null);
    assert.equal(figures.confidence(away), null);
    assert.equal(words.sessionState(away), "not connected");
  }
  assert.equal(figures.confidence({ ...live, nails: 0 }), null);
  assert.deepEqual([null, 5, 15, 30].map(figures.smoothness), ["none", "poor", "fair", "good"]);
});

test("times and shares read well", () => {
  assert.deepEqual([0, 59_400, 60_000, 7_200_000, 90_000_000].map(words.duration), ["0 s", "59 s", "1 min", "2 h", "1 day"]);
  assert.deepEqual([null, 0, 0.004, 0.5].map(words.percent), ["–", "0 %", "<1 %", "50 %"]);
});

// --- the client -----------------------------------------------------------------------------------------------------
const answer = (body, status = 200) => new Response(JSON.stringify(body), { status, headers: { Date: new Date(0).toUTCString() } });

test("the token goes into a header, and into nothing else", async () => {
  const asked = [];
  const client = new AdminClient("secret token", async (path, options) => {
    asked.push([path, options]);
    return answer({});
  });
  await client.look(50);
  await client.drain("a/../b");
  for (const [path, options] of asked) {
    assert.equal(options.headers.Authorization, "Bearer secret token");
    assert.equal(options.credentials, "omit");
    assert.ok(!path.includes("secret"));
  }
  assert.equal(asked.at(-1)[0], "/admin/workers/a%2F..%2Fb/drain");
  assert.ok(Math.abs(client.skew + Date.now()) < 5000, "the server's clock is the one that counts");
});

test("what cannot be read is missing, and the rest is shown", async () => {
  const client = new AdminClient("t", async (path) =>
    path.startsWith("/admin/sessions") ? answer({ code: "internal_error", detail: "no" }, 500) : answer([path]),
  );
  const { look, missing } = await client.look(50);
  assert.deepEqual(missing, ["sessions"]);
  assert.deepEqual(look.workers, ["/admin/workers/"]);
});

test("a refused token and a silent server are told apart", async () => {
  const refused = new AdminClient("t", async () => answer({ code: "unauthorized", detail: "no" }, 401));
  await assert.rejects(refused.look(50), (error) => error instanceof Refused && error.status === 401);
  const silent = new AdminClient("t", async () => Promise.reject(new TypeError("failed to fetch")));
  await assert.rejects(silent.look(50), (error) => error.status === 0 && error.code === "server_unreachable");
  assert.deepEqual([0, 401, 403, 404, 500, 502, 503].map((status) => failedLater({ status })), [false, false, false, false, true, false, true]);
  assert.deepEqual(["a b", "ü", "", "a\nb"].map(isSendable), [true, false, false, false]);
});

// --- polling --------------------------------------------------------------------------------------------------------
test("one look at a time, none while hidden, one at once when it is seen again", async () => {
  const clock = new FakeClock();
  let looks = 0;
  let hidden = false;
  let finish = () => {};
  const look = () => {
    looks += 1;
    return new Promise((resolve) => (finish = resolve));
  };
  const poller = new Poller(look, { isHidden: () => hidden, clock });
  poller.start();
  poller.now(); // while the first one is under way
  assert.equal(looks, 1);
  finish();
  await settle();
  assert.equal(looks, 2, "asked for meanwhile: once more");
  finish();
  await clock.advance(1999);
  assert.equal(looks, 2);
  await clock.advance(1);
  assert.equal(looks, 3);
  hidden = true;
  finish();
  await clock.advance(60_000);
  assert.equal(looks, 3);
  hidden = false;
  poller.now();
  assert.equal(looks, 4);
  poller.stop();
  finish();
  await clock.advance(60_000);
  assert.equal(looks, 4);
});

// --- words and markup -----------------------------------------------------------------------------------------------
test("every text of the page is in words.js, and every word is used", () => {
  const used = new Set([
    ...[...HTML.matchAll(/data-say="([^"]+)"/g)].map(([, key]) => key),
    ...SCRIPTS.flatMap(([, text]) => [...text.matchAll(/WORDS\.(\w+)/g)].map(([, key]) => key)),
  ]);
  assert.deepEqual([...used].filter((key) => !words.WORDS[key]), []);
  assert.deepEqual(Object.keys(words.WORDS).filter((key) => !used.has(key)), []);
  const body = HTML.slice(HTML.indexOf("<main>")).replace(/<(noscript|pre).*?<\/\1>/gs, "").replace(/<!--.*?-->/gs, "");
  assert.deepEqual([...body.matchAll(/>([^<]*\p{L}[^<]*)</gu)].map(([, text]) => text), []);
});

test("no markup is made from text, and the token's field is part of no form's data", () => {
  for (const [name, text] of SCRIPTS) {
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|localStorage|document\.cookie/, name);
  }
  assert.doesNotMatch(HTML.match(/<input id="token"[^>]*>/)[0], / name=/);
  assert.doesNotMatch(HTML, / style=| on\w+=/);
});
