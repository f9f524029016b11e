import assert from "node:assert/strict";
import { test } from "node:test";

import { socketUrl } from "../../web/transport-websocket.js";

test("ws_url may be relative or written with http", () => {
  assert.equal(socketUrl("/ws/tryon/1/", "https://shop.example/try/"), "wss://shop.example/ws/tryon/1/");
  assert.equal(socketUrl("http://shop.example/ws", "http://a/"), "ws://shop.example/ws");
  assert.equal(socketUrl("wss://media.example/ws", "https://a/"), "wss://media.example/ws");
});
