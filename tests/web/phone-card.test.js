import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.window = { fetch: () => assert.fail("the tests bring their own") };
const { fetchLan } = await import("../../web/phone-card.js");

const LAN = { url: "https://192.168.1.20:8443", qr_svg_url: "http://localhost:8000/api/lan/qr.svg" };

test("a server that phones can open tells its address", async () => {
  const asked = [];
  const answer = async (url) => {
    asked.push(url);
    return Response.json(LAN);
  };
  assert.deepEqual(await fetchLan(answer), LAN);
  assert.deepEqual(asked, ["/api/lan"]);
});

test("an ordinary server, an older one and none at all have nothing to show", async () => {
  assert.equal(await fetchLan(async () => new Response(null, { status: 204 })), null);
  assert.equal(await fetchLan(async () => Response.json({ code: "not_found" }, { status: 404 })), null);
  assert.equal(await fetchLan(async () => new Response("<!doctype html>")), null);
  assert.equal(await fetchLan(() => Promise.reject(new TypeError("offline"))), null);
});
