import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { TryOnError } from "../../web/errors.js";
import { DOUBT_MS, LOOK_MS, SILENCE_MS } from "../../web/heartbeat.js";
import { BETTER_MS, REACH_MS, STEPS, TryOnSession } from "../../web/session.js";
import { FakeApi, FakeCamera, FakeClock, FakeTransport } from "./fakes.js";

/** @type {FakeClock} */ let clock;
/** @type {FakeApi} */ let api;
/** @type {FakeCamera} */ let camera;
/** @type {TryOnSession} */ let session;
/** Every transport made so far. @type {FakeTransport[]} */ let transports;
/** What the next transports do, in order; healthy ones follow. */ let plans;
/** States entered, as text. */ let path;
/** How the session opens its camera. */ let opens;
/** Ways that the picture came. */ let ways;
let retries;

const transport = () => transports.at(-1);
const lost = (code = "connection_lost") => new TryOnError(code);

function build(kinds = 1) {
  const factories = Array.from({ length: kinds }, (_, kind) => (options) => {
    transports.push(Object.assign(new FakeTransport(options, plans.shift()), { kind }));
    return transport();
  });
  session = new TryOnSession({ api, transports: factories, clock, random: () => 0 });
  session.on("state", ({ to, error }) => path.push(error ? `${to}:${error.code}` : to));
  session.on("retry", ({ delayMs }) => retries.push(delayMs));
  session.on("path", ({ kind }) => ways.push(kind));
}

async function start(openSource = async () => camera) {
  opens = openSource;
  await session.start({ openSource: (lost) => opens(lost), design: 3 });
  await clock.advance(0);
}

beforeEach(() => {
  [clock, api, camera] = [new FakeClock(), new FakeApi(), new FakeCamera()];
  [transports, plans, path, retries, ways] = [[], [], [], [], []];
  build();
});

describe("starting", () => {
  test("goes live with the first picture, and tells the server what is worn", async () => {
    await start();
    assert.deepEqual(path, ["starting", "connecting", "live"]);
    assert.deepEqual(transport().said("config"), [{ type: "config", design: 3, paused: false }]);
  });

  test("a ready server without a picture is not live yet", async () => {
    plans = [{ answers: false }];
    await start();
    transport().say({ type: "ready", session_id: "x" });
    assert.equal(session.state, "connecting");
    transport().options.onFrame();
    assert.equal(session.state, "live");
  });

  test("a refused camera fails and gives the session back", async () => {
    await start(async () => Promise.reject(new TryOnError("camera_denied")));
    assert.deepEqual(path, ["starting", "failed:camera_denied"]);
    await clock.advance(0);
    assert.deepEqual(api.ended, ["session-1"]);
  });

  test("a full server fails at once, with the wait, and turns the camera off", async () => {
    api.refusals = [new TryOnError("at_capacity", "", { retryAfter: 10 })];
    await start();
    assert.deepEqual(path, ["starting", "failed:at_capacity"]);
    assert.equal(session.error.retryAfter, 10);
    assert.equal(camera.track.stopped, true);
  });

  test("a server that has had enough fails at once, too, and tells when to come back", async () => {
    api.refusals = [new TryOnError("rate_limited", "", { retryAfter: 30 })];
    await start();
    assert.deepEqual(path, ["starting", "failed:rate_limited"]);
    assert.equal(session.error.retryAfter, 30);
  });

  test("a full worker fails as well", async () => {
    plans = [{ refuse: lost("at_capacity") }];
    await start();
    assert.equal(path.at(-1), "failed:at_capacity");
  });

  test("stopping while the camera is still asked for leaves nothing behind", async () => {
    let grant;
    const starting = session.start({ openSource: () => new Promise((resolve) => (grant = resolve)), design: 1 });
    session.stop();
    grant(camera);
    await starting;
    await clock.advance(0);
    assert.deepEqual(path, ["starting", "idle"]);
    assert.equal(camera.track.stopped, true);
    assert.deepEqual(api.ended, ["session-1"]);
    assert.equal(transports.length, 0);
  });

  test("a network that blocks the first transport gets the second", async () => {
    build(2);
    plans = [{ refuse: lost("connection_failed") }];
    await start();
    await clock.advance(10);
    assert.deepEqual(transports.map(({ kind }) => kind), [0, 1]);
    assert.equal(session.state, "live");
  });

  test("a network that swallows the first transport gets the second after eight seconds", async () => {
    build(2);
    plans = [{ hangs: true }];
    await start();
    await clock.advance(REACH_MS - 100);
    assert.equal(session.state, "connecting");
    await clock.advance(200);
    assert.equal(session.state, "live");
    assert.deepEqual(ways, [1]);
  });

  test("gives up a first connection that keeps failing", async () => {
    plans = Array(9).fill({ refuse: lost("connection_failed") });
    await start();
    await clock.advance(60_000);
    assert.equal(path.at(-1), "failed:connection_failed");
    assert.equal(transports.length, 5);
    assert.deepEqual(api.ended, ["session-1"]);
  });

  test("a connection that brings no picture in time is tried again", async () => {
    plans = [{ answers: false }];
    await start();
    await clock.advance(15_100);
    assert.equal(transports.length, 2);
    assert.equal(session.state, "live");
  });

  test("can start again after a failure", async () => {
    api.refusals = [lost("at_capacity")];
    await start();
    camera = new FakeCamera();
    await start();
    assert.equal(session.state, "live");
    assert.equal(session.error, null);
  });
});

describe("while live", () => {
  beforeEach(() => start());

  test("tells the server each second how its video arrives, while it runs", async () => {
    await clock.advance(2500);
    assert.deepEqual(transport().said("link").at(-1), { type: "link", loss: 0, fps: 30 });
    const told = transport().said("link").length;
    assert.ok(told >= 2 && told <= 3, `${told}`);
    session.pause();
    await clock.advance(3000);
    assert.equal(transport().said("link").length, told);
  });

  test("an older worker that does not know `link` is told once, and nobody else of it", async () => {
    const problems = [];
    session.on("problem", (error) => problems.push(error));
    const told = transport().said("link").length;
    transport().say({ type: "error", code: "unknown_type", message: "unknown message type 'link'", fatal: false });
    await clock.advance(3000);
    assert.equal(transport().said("link").length, told);
    assert.deepEqual(problems, []);
  });

  test("pings every second and measures the round trip", async () => {
    await clock.advance(3500);
    assert.deepEqual(transport().said("ping").map(({ t }) => t), [0, 1000, 2000, 3000]);
    assert.equal(session.stats().rttMs, 0);
    assert.equal(session.stats().quality, "excellent");
  });

  test("answers the server's pings", () => {
    transport().say({ type: "ping", t: 42 });
    assert.deepEqual(transport().said("pong"), [{ type: "pong", t: 42 }]);
  });

  test("pause freezes here and there; resume undoes both", () => {
    session.pause();
    assert.equal(session.state, "paused");
    session.resume();
    assert.deepEqual(transport().paused, [true, false]);
    assert.deepEqual(transport().said("config").slice(1), [
      { type: "config", paused: true }, { type: "config", paused: false }]);
  });

  test("a design change is sent as it is", () => {
    session.configure({ design: 20 });
    assert.deepEqual(transport().said("config").at(-1), { type: "config", design: 20 });
  });

  test("an expiring session is extended, but not while paused: then when it resumes", async () => {
    transport().say({ type: "session", event: "expiring", expires_at: 0 });
    assert.deepEqual(api.extended, ["session-1"]);
    session.pause();
    transport().say({ type: "session", event: "expiring", expires_at: 0 });
    assert.equal(api.extended.length, 1);
    session.resume();
    assert.equal(api.extended.length, 2);
  });

  test("an ended session ends, without telling the server what it said itself", () => {
    transport().say({ type: "session", event: "ended", expires_at: 0 });
    assert.equal(path.at(-1), "ended:session_ended");
    assert.equal(camera.track.stopped, true);
    assert.deepEqual(api.ended, []);
  });

  test("opened somewhere else: stops for good", async () => {
    transport().options.onLost(lost("replaced"));
    await clock.advance(60_000);
    assert.equal(path.at(-1), "ended:replaced");
    assert.equal(transports.length, 1);
  });

  test("a fatal error says why the connection closes", () => {
    transport().say({ type: "error", code: "session_ended", message: "over", fatal: true });
    assert.equal(path.at(-1), "ended:session_ended");
  });

  test("an error that is not fatal is told and changes nothing", () => {
    const problems = [];
    session.on("problem", ({ code }) => problems.push(code));
    transport().say({ type: "error", code: "unknown_design", message: "", fatal: false });
    assert.deepEqual(problems, ["unknown_design"]);
    assert.equal(session.state, "live");
  });

  test("a camera that ends is opened again, on the same connection", async () => {
    const ended = camera;
    camera = new FakeCamera();
    ended.track.end();
    await clock.advance(10);
    assert.equal(transport().options.source, camera);
    assert.equal(transports.length, 1);
    assert.equal(session.state, "live");
  });

  test("a camera that does not come back is told of, and fails after a minute", async () => {
    const told = [];
    session.on("camera", ({ code }) => told.push(code));
    opens = async () => Promise.reject(new TryOnError("camera_missing"));
    camera.track.end();
    await clock.advance(5000);
    assert.deepEqual(told, ["camera_lost"]);
    assert.equal(session.state, "live", "the session waits for it");
    await clock.advance(60_000);
    assert.equal(path.at(-1), "failed:camera_lost");
  });

  test("a camera that ended in the background is opened again when the page is back, not before", async () => {
    session.pause();
    const ended = camera;
    camera = new FakeCamera();
    ended.track.end();
    await clock.advance(10_000);
    assert.equal(transport().options.source, ended);
    session.resume();
    await clock.advance(10);
    assert.equal(transport().options.source, camera);
  });

  test("another camera takes over without a new connection", async () => {
    const back = new FakeCamera();
    await session.replaceSource(back);
    assert.equal(transport().options.source, back);
    camera.track.dispatchEvent(new Event("ended"));
    assert.equal(session.state, "live");
  });

  test("stop says goodbye and frees everything; twice is fine", () => {
    session.stop();
    session.stop();
    assert.equal(session.state, "idle");
    assert.equal(transport().closed, "leaving");
    assert.deepEqual(api.ended, ["session-1"]);
    assert.equal(camera.track.stopped, true);
  });

  test("keeps the newest metadata", () => {
    transport().say({ type: "metadata", frame_number: 5, nails: [], hands: 1 });
    assert.equal(session.lastMetadata.frame_number, 5);
  });
});

describe("reconnecting", () => {
  beforeEach(() => start());

  test("three silent seconds are a lost connection; the same session goes on with the same settings", async () => {
    session.configure({ design: 24 });
    transport().answers = false;
    await clock.advance(SILENCE_MS + 2500);
    assert.deepEqual(path.slice(-2), ["reconnecting:connection_lost", "live"]);
    assert.equal(transports.length, 2);
    assert.equal(api.created, 1);
    assert.equal(transport().options.session.session_id, "session-1");
    assert.deepEqual(transport().said("config"), [{ type: "config", design: 24, paused: false }]);
  });

  test("a short silence is asked about; a server without the connection ends the wait", async () => {
    transport().answers = false;
    transport().gone = lost("not_found");
    await clock.advance(DOUBT_MS + 2 * LOOK_MS);
    assert.deepEqual(path.slice(-2), ["reconnecting:connection_lost", "live"]);
    assert.equal(api.created, 1, "the session itself goes on");
  });

  test("a server that has the connection, or cannot be asked, changes nothing", async () => {
    transport().answers = false;
    await clock.advance(1500);
    transport().gone = lost("server_unreachable");
    await clock.advance(1000);
    assert.equal(session.state, "live");
  });

  test("after another network took over, silence means more", async () => {
    transport().answers = false;
    session.networkChanged();
    await clock.advance(2000);
    assert.equal(transports.length, 2);
    assert.equal(session.state, "live");
  });

  test("a machine that slept asks at once whether it still has a connection", async () => {
    transport().gone = lost("not_found");
    await clock.sleep(60_000);
    await clock.advance(LOOK_MS);
    assert.equal(transports.length, 2);
    assert.equal(session.state, "live");
  });

  test("a machine that slept does not blame the server", async () => {
    await clock.sleep(60_000);
    await clock.advance(2000);
    assert.equal(session.state, "live");
    assert.equal(transports.length, 1);
  });

  test("waits longer and longer", async () => {
    await clock.advance(10_000);
    plans = Array(6).fill({ refuse: lost("server_unreachable") });
    transport().options.onLost(lost());
    await clock.advance(30_000);
    assert.deepEqual(retries, [0, 300, 1200, 2700, 4800, 7000, 7000]);
    assert.equal(session.state, "live");
  });

  test("a flapping connection does not start the backoff anew, a stable one does", async () => {
    transport().options.onLost(lost());
    await clock.advance(100);
    transport().options.onLost(lost());
    assert.deepEqual(retries, [0, 300]);
    await clock.advance(8000);
    transport().options.onLost(lost());
    assert.deepEqual(retries, [0, 300, 0]);
  });

  test("a server that forgot the session gets a new one with the same design", async () => {
    plans = [{ refuse: lost("not_found") }];
    transport().options.onLost(lost());
    await clock.advance(1000);
    assert.equal(session.state, "live");
    assert.equal(session.id, "session-2");
  });

  test("a forgotten session of a photo is made of the photo again, and wears the same", async () => {
    const made = [];
    const openSession = async () => {
      made.push(`photo-${made.length + 1}`);
      return { session_id: made.at(-1), token: "t", design: { id: null }, webrtc_url: "", ws_url: "", ice_servers: [] };
    };
    session.stop();
    session.configure({ fingers: { ring: { nail: 2 } }, shape: "almond" });
    await session.start({ openSource: async () => camera, design: null, openSession });
    await clock.advance(0);
    const before = transport().said("config");
    const worn = { design: null, paused: false, fingers: { ring: { nail: 2 } }, shape: "almond" };
    assert.deepEqual(before, [{ type: "config", ...worn }]);
    plans = [{ refuse: lost("not_found") }];
    transport().options.onLost(lost());
    await clock.advance(1000);
    assert.equal(session.id, "photo-2");
    assert.deepEqual(transport().said("config"), before);
    assert.equal(api.created, 1, "only by the run before");
  });

  test("a full server is waited for as long as it asks", async () => {
    plans = [{ refuse: new TryOnError("at_capacity", "", { retryAfter: 10 }) }];
    transport().options.onLost(lost());
    await clock.advance(9000);
    assert.equal(session.state, "reconnecting");
    await clock.advance(2000);
    assert.equal(session.state, "live");
  });

  test("a paused session comes back paused, without waiting for a picture", async () => {
    session.pause();
    transport().options.onLost(lost());
    await clock.advance(100);
    assert.deepEqual(path.slice(-2), ["reconnecting:connection_lost", "paused"]);
    assert.deepEqual(transport().paused, [true]);
    await clock.advance(60_000);
    assert.equal(session.state, "paused");
  });

  test("a draining worker is left at once", async () => {
    transport().say({ type: "draining", reconnect_within: 10 });
    await clock.advance(0);
    assert.deepEqual(retries, [0]);
    assert.equal(session.state, "live");
  });

  test("what an old connection says no longer counts", async () => {
    const old = transport();
    old.options.onLost(lost());
    await clock.advance(100);
    old.options.onLost(lost("replaced"));
    old.say({ type: "session", event: "ended" });
    assert.equal(session.state, "live");
    assert.equal(old.closed, "closed");
  });

  test("retryNow does not wait, and does not connect twice", async () => {
    plans = Array(5).fill({ refuse: lost("server_unreachable") });
    transport().options.onLost(lost());
    await clock.advance(9100);
    const before = transports.length;
    session.retryNow();
    await clock.advance(0);
    assert.equal(transports.length, before + 1);
  });

  test("asks the person after three minutes", async () => {
    plans = Array(99).fill({ refuse: lost("server_unreachable") });
    transport().options.onLost(lost());
    await clock.advance(200_000);
    assert.equal(path.at(-1), "failed:server_unreachable");
  });

  test("a connection that stays lost ends as a server out of reach, with words that fit", async () => {
    plans = Array(99).fill({ refuse: lost() });
    transport().options.onLost(lost());
    await clock.advance(200_000);
    assert.equal(path.at(-1), "failed:server_unreachable");
  });

  test("stopping ends the attempts", async () => {
    plans = Array(99).fill({ refuse: lost("server_unreachable") });
    transport().options.onLost(lost());
    await clock.advance(1000);
    session.stop();
    const before = transports.length;
    await clock.advance(60_000);
    assert.equal(session.state, "idle");
    assert.equal(transports.length, before);
  });
});

describe("captures", () => {
  beforeEach(() => start());

  const answer = (id) => ({
    header: { type: "capture", request_id: id, image_size: 3, format: "jpeg", width: 640, height: 480, nails: 5 },
    payload: new Uint8Array([1, 2, 3]),
  });

  test("two at once each get their own picture", async () => {
    const [first, second] = [session.capture(), session.capture()];
    const [a, b] = transport().said("capture").map(({ request_id: id }) => id);
    transport().options.onBinary(answer(b));
    transport().options.onBinary(answer(a));
    assert.equal((await first).blob.type, "image/jpeg");
    assert.equal((await second).width, 640);
  });

  test("no answer in time is a failed photo", async () => {
    const capture = assert.rejects(session.capture(), { code: "capture_failed" });
    await clock.advance(8100);
    await capture;
  });

  test("no frame yet is told as such", async () => {
    const capture = assert.rejects(session.capture(), { code: "no_frame_yet" });
    transport().say({ type: "error", code: "no_frame_yet", message: "", fatal: false });
    await capture;
  });

  test("a lost connection loses its photos", async () => {
    const capture = assert.rejects(session.capture(), { code: "capture_failed" });
    transport().options.onLost(lost());
    await capture;
  });

  test("without a connection there is no photo", async () => {
    session.stop();
    await assert.rejects(session.capture(), { code: "no_frame_yet" });
  });
});

describe("live video again, where single pictures had to do", () => {
  beforeEach(async () => {
    build(2);
    plans = [{ refuse: lost("connection_failed") }];
    await start();
    await clock.advance(10);
  });

  test("is tried after some minutes, and takes over with its first picture", async () => {
    const pictures = transport();
    await clock.advance(BETTER_MS);
    assert.deepEqual(ways, [1, 0]);
    assert.equal(session.state, "live");
    assert.equal(pictures.closed, "closed");
    assert.deepEqual(transport().said("config"), [{ type: "config", design: 3, paused: false }]);
    assert.deepEqual(path.filter((to) => to.startsWith("reconnecting")), []);
  });

  test("is tried when the network changes; a network that blocks it costs nothing", async () => {
    const pictures = transport();
    plans = [{ hangs: true }];
    session.networkChanged();
    await clock.advance(REACH_MS + 10);
    assert.equal(transport().closed, "closed");
    assert.equal(pictures.closed, null);
    assert.deepEqual(ways, [1]);
    assert.equal(session.state, "live");
  });
});

test("no step leads from a state to itself, and none to a state nobody knows", () => {
  for (const [from, steps] of Object.entries(STEPS)) {
    assert.ok(!steps.includes(from));
    for (const to of steps) assert.ok(to in STEPS);
  }
});
