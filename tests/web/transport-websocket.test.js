import assert from "node:assert/strict";
import { test } from "node:test";

import { Pacer, socketUrl } from "../../web/transport-websocket.js";

const paced = () => new Pacer({ maxFps: 25, timeoutMs: 2000 });

test("one picture is on its way at a time", () => {
  const pacer = paced();
  assert.equal(pacer.waitMs(0), 0);
  assert.equal(pacer.send(0), 1);
  assert.equal(pacer.waitMs(100), 1900); // nothing leaves before the answer, or its timeout
  assert.equal(pacer.answer(1, 150), true);
  assert.equal(pacer.waitMs(150), 0);
  assert.equal(pacer.roundTripMs, 150);
  assert.equal(pacer.send(150), 2);
});

test("a fast server gets no more than the camera's rate", () => {
  const pacer = paced();
  pacer.send(0);
  pacer.answer(1, 5);
  assert.equal(pacer.waitMs(5), 35);
  assert.equal(pacer.waitMs(40), 0);
});

test("a lost answer costs its timeout, and is counted", () => {
  const pacer = paced();
  pacer.send(0);
  assert.equal(pacer.waitMs(1999), 1);
  assert.equal(pacer.waitMs(2000), 0);
  assert.equal(pacer.send(2000), 2);
  assert.equal(pacer.lost, 1);
});

test("an answer that comes too late does not count for the next picture", () => {
  const pacer = paced();
  pacer.send(0);
  pacer.send(2000);
  assert.equal(pacer.answer(1, 2010), false);
  assert.equal(pacer.answer(undefined, 2010), false);
  assert.equal(pacer.answer(2, 2020), true);
  assert.equal(pacer.answered, 1);
});

test("ws_url may be relative or written with http", () => {
  assert.equal(socketUrl("/ws/tryon/1/", "https://shop.example/try/"), "wss://shop.example/ws/tryon/1/");
  assert.equal(socketUrl("http://shop.example/ws", "http://a/"), "ws://shop.example/ws");
  assert.equal(socketUrl("wss://media.example/ws", "https://a/"), "wss://media.example/ws");
});
