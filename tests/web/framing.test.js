import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import {
  FramingError, HEADER_SIZE, isChunk, MAX_FRAME_SIZE, MAX_PARTIAL_MESSAGES, pack, Reassembler, split, unpack,
} from "../../web/framing.js";

const VECTORS = new URL("../../protocol/vectors/", import.meta.url);
const vectors = JSON.parse(readFileSync(new URL("vectors.json", VECTORS), "utf8"));
const bytes = (text) => new TextEncoder().encode(text);
const header = { type: "frame", frame_number: 1, timestamp: 1767225600000 };

/** The one message that a vector's files hold, chunked or not. */
function receive(files) {
  const reassembler = new Reassembler();
  let whole = null;
  for (const file of files) {
    const message = unpack(new Uint8Array(readFileSync(new URL(file, VECTORS))));
    whole = (isChunk(message.header) ? reassembler.add(message) : message) ?? whole;
  }
  return whole;
}

describe("golden vectors", () => {
  for (const { name, about, files, valid, header: expected, payload_sha256: sum, error } of vectors) {
    test(`${name}: ${about}`, () => {
      if (!valid) {
        assert.throws(() => receive(files), (thrown) => thrown instanceof FramingError && thrown.code === error);
        return;
      }
      const message = receive(files);
      assert.deepEqual(message.header, expected);
      assert.equal(createHash("sha256").update(message.payload).digest("hex"), sum);
    });
  }
});

describe("pack", () => {
  test("is exactly 1024 bytes of header, then the payload", () => {
    const message = pack(header, bytes("picture"));
    assert.equal(message.length, HEADER_SIZE + 7);
    assert.deepEqual(unpack(message), { header: { image_size: 7, ...header }, payload: bytes("picture") });
  });

  test("refuses a header that does not fit", () => {
    assert.throws(() => pack({ ...header, note: "é".repeat(600) }), { code: "bad_header" });
  });

  test("takes an ArrayBuffer as a WebSocket gives it", () => {
    assert.equal(unpack(pack(header, bytes("x")).buffer).payload.length, 1);
  });
});

describe("split and Reassembler", () => {
  const payload = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
  const chunks = (messageId, size = 2048) => split(header, payload, { messageId, maxMessageSize: size }).map(unpack);

  test("a small message stays whole", () => {
    assert.deepEqual(split(header, payload, { messageId: 1, maxMessageSize: 65_536 }), [pack(header, payload)]);
  });

  test("chunks in any order become the message again", () => {
    const reassembler = new Reassembler();
    const parts = chunks(7).reverse();
    assert.equal(parts.length, 5);
    const results = parts.map((part) => reassembler.add(part));
    assert.deepEqual(results.slice(0, -1), [null, null, null, null]);
    assert.deepEqual(results.at(-1), { header: { image_size: 5000, ...header }, payload });
  });

  test("no room beside the header is the caller's mistake", () => {
    assert.throws(() => split(header, payload, { messageId: 1, maxMessageSize: HEADER_SIZE }), RangeError);
  });

  test("the oldest of too many incomplete messages is dropped", () => {
    const reassembler = new Reassembler();
    const first = chunks(0);
    reassembler.add(first[0]);
    for (let id = 1; id <= MAX_PARTIAL_MESSAGES; id++) reassembler.add(chunks(id)[0]);
    assert.equal(reassembler.dropped, 1);
    for (const part of first.slice(1)) assert.equal(reassembler.add(part), null);
  });

  test("an image over the limit is refused by its announcement", () => {
    assert.throws(() => unpack(pack({ ...header, image_size: MAX_FRAME_SIZE + 1 })), { code: "too_large" });
  });
});
