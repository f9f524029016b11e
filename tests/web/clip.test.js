import assert from "node:assert/strict";
import { test } from "node:test";

import { Clip, clipType } from "../../web/clip.js";
import { Shutter } from "../../web/shutter.js";
import { FakeClock } from "./fakes.js";

class FakeRecorder {
  state = "inactive";
  constructor(stream, options) {
    Object.assign(this, { stream, options });
    FakeRecorder.last = this;
  }
  start() {
    this.state = "recording";
  }
  stop() {
    this.state = "inactive";
    this.ondataavailable({ data: new Blob(["film"]) });
    this.onstop();
  }
}

test("MP4 where the browser records it, else WebM, else nothing", () => {
  assert.equal(clipType(() => true), "video/mp4;codecs=avc1.42E01F");
  assert.equal(clipType((type) => type.startsWith("video/webm")), "video/webm;codecs=vp8");
  assert.equal(clipType(() => false), null);
  assert.equal(clipType(undefined), null);
});

test("a clip ends once, and is a file of its container", async () => {
  const clip = new Clip({}, "video/mp4;codecs=avc1.42E01F", FakeRecorder);
  assert.equal(FakeRecorder.last.options.mimeType, "video/mp4;codecs=avc1.42E01F");
  clip.stop();
  clip.stop();
  const film = await clip.done;
  assert.deepEqual([film.type, await film.text()], ["video/mp4", "film"]);
});

test("a connection that breaks ends it with what there is", async () => {
  const clip = new Clip({}, "video/webm", FakeRecorder);
  FakeRecorder.last.stop(); // as browsers do when the track ends
  assert.equal((await clip.done).size, 4);
});

/** A shutter, and what it said. */
function shutter({ possible = true } = {}) {
  const button = new EventTarget();
  const clock = new FakeClock();
  const said = [];
  const it = new Shutter(
    button,
    {
      onPhoto: () => said.push("photo"),
      onFilm: () => {
        if (possible) said.push("film");
        it.filming = possible;
        return possible;
      },
      onCut: () => {
        said.push("cut");
        it.filming = false;
      },
    },
    clock,
  );
  const press = (...names) => names.forEach((name) => button.dispatchEvent(new Event(name)));
  return { it, said, clock, press };
}

test("a touch takes a photo, and so does the keyboard", async () => {
  const { said, clock, press } = shutter();
  press("pointerdown", "pointerup", "click");
  await clock.advance(1000);
  press("click");
  assert.deepEqual(said, ["photo", "photo"]);
});

test("a hold films until it ends, and is no touch as well", async () => {
  const { said, clock, press } = shutter();
  press("pointerdown");
  await clock.advance(500);
  press("pointerup", "click");
  assert.deepEqual(said, ["film", "cut"]);
  press("pointerdown", "pointerup", "click");
  assert.deepEqual(said, ["film", "cut", "photo"]);
});

test("a hold that outlasts the clip cuts nothing twice", async () => {
  const { it, said, clock, press } = shutter();
  press("pointerdown");
  await clock.advance(7000);
  it.filming = false;
  press("pointerup", "click");
  assert.deepEqual(said, ["film"]);
});

test("where filming is not possible, a slow touch still takes a photo", async () => {
  const { said, clock, press } = shutter({ possible: false });
  press("pointerdown");
  await clock.advance(900);
  press("pointerup", "click");
  assert.deepEqual(said, ["photo"]);
});

test("switched to clips, a touch begins and another ends", async () => {
  const { it, said, clock, press } = shutter();
  it.films = true;
  press("pointerdown", "pointerup", "click");
  await clock.advance(2000);
  press("pointerdown", "pointerup", "click");
  assert.deepEqual(said, ["film", "cut"]);
});
