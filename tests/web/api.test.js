import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Api, problem, retryAfterSeconds } from "../../web/api.js";
import { asTryOnError, closeError, TryOnError, whyItWaits, wordsFor } from "../../web/errors.js";

const BASE = "https://shop.example/try/";
const WEBRTC = "https://shop.example/api/try-on/sessions/s1/webrtc/";
const session = { session_id: "s1", token: "secret", webrtc_url: WEBRTC };

/** An Api whose server answers as given; `calls` records what was asked. */
function server(...responses) {
  const calls = [];
  const fetch = async (url, init) => {
    calls.push({ url: String(url), ...init });
    const response = responses.shift();
    if (response instanceof Error) throw response;
    return response;
  };
  return { api: new Api({ base: BASE, fetch }), calls };
}

const problemDocument = (status, body, headers = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/problem+json", ...headers } });

test("a photo goes as a form, whose Content-Type and boundary the browser writes", async () => {
  const { api, calls } = server(new Response(JSON.stringify({ session_id: "s1" }), { status: 201 }));
  const photo = new Blob(["jpeg"], { type: "image/jpeg" });
  assert.equal((await api.upload(photo)).session_id, "s1");
  const [{ url, method, headers, body }] = calls;
  assert.equal(`${method} ${url}`, "POST https://shop.example/api/try-on/sessions/");
  assert.equal(headers["Content-Type"], undefined);
  assert.equal(body.get("mode"), "upload");
  assert.equal(await body.get("nail_reference_image").text(), "jpeg");
});

test("a session that is extended gets new credentials for relays", async () => {
  const ice_servers = [{ urls: ["turn:turn.example"], username: "2:s1", credential: "new" }];
  const { api, calls } = server(new Response(JSON.stringify({ session_id: "s1", ice_servers })));
  const extended = { ...session, ice_servers: [] };
  await api.extend(extended);
  assert.equal(`${calls[0].method} ${calls[0].url}`, `POST https://shop.example/api/try-on/sessions/s1/extend/`);
  assert.deepEqual(extended, { ...session, ice_servers });
});

test("a photo is saved in its session, listed, and deleted", async () => {
  const saved = { result_id: "r1", image_url: "/r1" };
  const { api, calls } = server(
    new Response(JSON.stringify(saved), { status: 201 }),
    new Response(JSON.stringify([saved])),
    new Response(null, { status: 204 }),
  );
  await api.save({ session_id: "s1" }, new Blob(["jpeg"], { type: "image/jpeg" }), { view: "both" });
  assert.deepEqual(await api.results(), [saved]);
  await api.forget(saved);
  const [{ body }] = calls;
  assert.deepEqual([body.get("session_id"), body.get("metadata")], ["s1", '{"view":"both"}']);
  assert.equal(await body.get("processed_image").text(), "jpeg");
  const asked = calls.map(({ method, url }) => `${method} ${new URL(url).pathname}`);
  const results = "/api/try-on/results/";
  assert.deepEqual(asked, [`POST ${results}`, `GET ${results}`, `DELETE ${results}r1/`]);
});

test("an extended session goes on with the token that the answer brings, where it brings one", async () => {
  const mine = { ...session };
  const { api, calls } = server(
    new Response(JSON.stringify({ token: "longer" })),
    new Response(JSON.stringify({ token: null })),
  );
  await api.extend(mine);
  await api.extend(mine);
  assert.deepEqual(
    calls.map(({ headers }) => headers.Authorization),
    ["Bearer secret", "Bearer longer"],
  );
  assert.equal(mine.token, "longer");
});

test("a server that has had enough says when to come back, and the page waits", async () => {
  const body = { code: "rate_limited", detail: "too many sessions" };
  const error = await problem(problemDocument(429, body, { "Retry-After": "7" }));
  assert.deepEqual([error.code, error.retryAfter, wordsFor(error.code).action], ["rate_limited", 7, "Try again"]);
  assert.equal(closeError(4429).code, "rate_limited");
  assert.deepEqual(["rate_limited", "at_capacity", "silent_peer"].map(whyItWaits), [
    "rate_limited",
    "at_capacity",
    "connection_lost",
  ]);
});

test("what belongs to a person is asked for with the host application's token, sessions with their own", async () => {
  const calls = [];
  const answer = JSON.stringify({ session_id: "s1" });
  const fetch = async (url, { method, headers }) => {
    calls.push([method, url.pathname.replace("/api/try-on/", ""), headers.Authorization]);
    return new Response(method === "DELETE" ? null : answer, { status: method === "DELETE" ? 204 : 200 });
  };
  let renewed = 0;
  const api = new Api({ base: BASE, fetch, token: async () => `host-${++renewed}` });
  await api.designs();
  await api.createSession(1);
  await api.upload(new Blob([]));
  await api.save(session, new Blob([]), {});
  await api.results();
  await api.forget({ result_id: "r1" });
  await api.end(session);
  assert.deepEqual(calls, [
    ["GET", "designs/", undefined],
    ["POST", "sessions/", "Bearer host-1"],
    ["POST", "sessions/", "Bearer host-2"],
    ["POST", "results/", "Bearer secret"],
    ["GET", "results/", "Bearer host-3"],
    ["DELETE", "results/r1/", "Bearer host-4"],
    ["DELETE", "sessions/s1/", "Bearer secret"],
  ]);
});

describe("errors", () => {
  test("a page whose origin is not allowed is told which setting to change", async (t) => {
    globalThis.location = { origin: "https://elsewhere.example" };
    t.after(() => delete globalThis.location);
    const { api, calls } = server(new TypeError("Failed to fetch"), new Response(null));
    const error = await api.createSession(1).catch((error) => error);
    assert.equal(error.code, "origin_not_allowed");
    assert.match(error.message, /add https:\/\/elsewhere\.example to its setting LACQUER_ALLOWED_ORIGINS/);
    assert.equal(calls[1].url, "https://shop.example/static/package.json");
    const gone = server(new TypeError("Failed to fetch"), new TypeError("Failed to fetch"));
    await assert.rejects(gone.api.createSession(1), { code: "server_unreachable" });
  });

  test("a full server becomes at_capacity with the seconds to wait", async () => {
    const { api } = server(problemDocument(503, { code: "at_capacity", detail: "full" }, { "Retry-After": "10" }));
    await assert.rejects(api.createSession(1), { code: "at_capacity", status: 503, retryAfter: 10, message: "full" });
  });

  test("no answer at all is server_unreachable", async () => {
    const { api } = server(new TypeError("Failed to fetch"));
    await assert.rejects(api.designs(), { code: "server_unreachable" });
  });

  for (const [status, code] of [[502, "worker_unavailable"], [503, "worker_unavailable"], [410, "session_ended"],
    [404, "not_found"], [500, "internal_error"], [418, "internal_error"]]) {
    test(`a proxy's page with ${status} reads as ${code}`, async () => {
      const error = await problem(new Response("<h1>oops</h1>", { status }));
      assert.equal(error.code, code);
    });
  }

  test("Retry-After may be seconds, a date, or nonsense", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    assert.equal(retryAfterSeconds("7"), 7);
    assert.equal(retryAfterSeconds("Thu, 01 Jan 2026 00:00:30 GMT", now), 30);
    assert.equal(retryAfterSeconds("Thu, 01 Jan 2020 00:00:30 GMT", now), 0);
    assert.equal(retryAfterSeconds("soon"), undefined);
    assert.equal(retryAfterSeconds(null), undefined);
  });

  test("close codes carry their meaning; others are a lost connection", () => {
    const codes = [4409, 4410, 4404, 4401, 4503, 1006, 4408].map((code) => closeError(code).code);
    assert.deepEqual(codes, ["replaced", "session_ended", "not_found", "unauthorized", "at_capacity",
      "connection_lost", "connection_lost"]);
  });

  test("every error has words, known or not", () => {
    assert.match(wordsFor("at_capacity").title, /studio is full right now/);
    assert.match(wordsFor("store_unavailable").text, /within a minute/);
    assert.deepEqual(wordsFor("never_heard_of"), wordsFor("internal_error"));
    assert.equal(asTryOnError(new Error("boom")).code, "internal_error");
    assert.equal(asTryOnError(new TryOnError("replaced")).code, "replaced");
  });
});

describe("requests", () => {
  test("a session is created for a design", async () => {
    const { api, calls } = server(new Response(JSON.stringify(session), { status: 201 }));
    assert.equal((await api.createSession(3)).session_id, "s1");
    assert.equal(calls[0].url, "https://shop.example/api/try-on/sessions/");
    assert.deepEqual(JSON.parse(calls[0].body), { mode: "explore", post_id: 3 });
  });

  test("the offer goes out as SDP with the token; a relative Location is made whole", async () => {
    const answer = new Response("v=0", { status: 201, headers: { Location: "/rtc/1", ETag: '"7"' } });
    const { api, calls } = server(answer, new Response(null, { status: 204 }));
    const resource = await api.offer(session, "v=0 offer");
    assert.deepEqual(resource, { answer: "v=0", location: "https://shop.example/rtc/1", etag: '"7"' });
    assert.equal(calls[0].headers["Content-Type"], "application/sdp");
    assert.equal(calls[0].headers.Authorization, "Bearer secret");
    await api.trickle(session, resource, "a=ice-ufrag:x");
    assert.equal(calls[1].method, "PATCH");
    assert.equal(calls[1].headers["If-Match"], '"7"');
    assert.equal(calls[1].headers["Content-Type"], "application/trickle-ice-sdpfrag");
  });

  test("the last request outlives the page", async () => {
    const { api, calls } = server(new Response(null, { status: 204 }));
    await api.end(session);
    assert.equal(calls[0].method, "DELETE");
    assert.equal(calls[0].keepalive, true);
  });
});
