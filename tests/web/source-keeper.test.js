import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { TryOnError } from "../../web/errors.js";
import { SourceKeeper } from "../../web/source-keeper.js";
import { FakeCamera, FakeClock } from "./fakes.js";

let clock, keeper, camera, told;
/** What opening gives; by default another camera. */
let opens;

beforeEach(() => {
  [clock, camera, told] = [new FakeClock(), new FakeCamera(), []];
  opens = async () => new FakeCamera();
  keeper = new SourceKeeper(clock, {
    onWaiting: () => told.push("waiting"),
    onBack: (stream) => (told.push("back"), keeper.follow(stream)),
    onGone: ({ code }) => told.push(code),
  });
  keeper.reopenBy((lost) => opens(lost));
  keeper.follow(camera);
});

const refused = (code) => async () => Promise.reject(new TryOnError(code));

test("a track that ends is opened again at once, given the one that was lost", async () => {
  const asked = [];
  opens = async (lost) => (asked.push(lost), new FakeCamera());
  camera.track.end();
  assert.equal(keeper.isLost, true);
  await clock.advance(0);
  assert.deepEqual(told, ["back"]);
  assert.deepEqual(asked, [camera]);
  assert.equal(keeper.isLost, false);
});

test("a device that comes back within seconds needs no help, later a touch or a plug", async () => {
  opens = refused("camera_missing");
  camera.track.end();
  await clock.advance(5000);
  assert.deepEqual(told, ["waiting"]);
  opens = async () => new FakeCamera();
  await clock.advance(5000);
  keeper.retryNow();
  await clock.advance(0);
  assert.deepEqual(told, ["waiting", "back"]);
});

test("a camera that is refused now is not asked for again", async () => {
  opens = refused("camera_denied");
  camera.track.end();
  await clock.advance(10_000);
  assert.deepEqual(told, ["camera_denied"]);
});

test("a track that is muted after the background is opened again, one that recovers is left alone", async () => {
  camera.track.muted = true;
  keeper.check();
  camera.track.muted = false;
  await clock.advance(2000);
  assert.deepEqual(told, []);
  camera.track.muted = true;
  keeper.check();
  await clock.advance(2000);
  assert.deepEqual(told, ["back"]);
  assert.equal(camera.track.stopped, true, "or it would hold the camera");
});

test("released, it turns off what still comes", async () => {
  const late = new FakeCamera();
  opens = async () => (keeper.release(), late);
  camera.track.end();
  await clock.advance(0);
  assert.deepEqual(told, []);
  assert.equal(late.track.stopped, true);
});
