import assert from "node:assert/strict";
import { test } from "node:test";

import { cameraError, isMirror, nextCamera } from "../../web/camera.js";

const refusal = (name) => new DOMException("", name);

test("each refusal has its own reason", () => {
  const codes = ["NotAllowedError", "NotFoundError", "NotReadableError", "OverconstrainedError", "SecurityError"];
  assert.deepEqual(codes.map((name) => cameraError(refusal(name)).code),
    ["camera_denied", "camera_missing", "camera_busy", "camera_missing", "camera_blocked"]);
});

test("refused by the embedding page, not by the person", () => {
  assert.equal(cameraError(refusal("NotAllowedError"), false).code, "camera_blocked");
});

test("a phone turns from front to back and again", () => {
  assert.deepEqual(nextCamera({ facingMode: "user" }, []), { facingMode: { exact: "environment" } });
  assert.deepEqual(nextCamera({ facingMode: "environment" }, []), { facingMode: { exact: "user" } });
});

test("a laptop goes through its cameras in turn", () => {
  const camera = (deviceId) => ({ kind: "videoinput", deviceId });
  const devices = [camera("a"), { kind: "audioinput", deviceId: "m" }, camera("b")];
  assert.deepEqual(nextCamera({ deviceId: "a" }, devices), { deviceId: { exact: "b" } });
  assert.deepEqual(nextCamera({ deviceId: "b" }, devices), { deviceId: { exact: "a" } });
});

test("only a back camera is no mirror", () => {
  const stream = (facingMode) => ({ getVideoTracks: () => [{ getSettings: () => ({ facingMode }) }] });
  assert.deepEqual(["user", undefined, "environment"].map((facing) => isMirror(stream(facing))), [true, true, false]);
});
