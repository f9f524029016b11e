import assert from "node:assert/strict";
import { test } from "node:test";

import { hasTorch, Torch } from "../../web/torch.js";
import { settle } from "./fakes.js";

const camera = (torch, refuse = false) => {
  const track = { asked: [], getCapabilities: () => ({ torch }) };
  track.applyConstraints = async ({ advanced: [constraint] }) => {
    if (refuse) throw new DOMException("", "OverconstrainedError");
    track.asked.push(constraint.torch);
  };
  return { track, getVideoTracks: () => [track] };
};

class FakeButton {
  hidden = false;
  pressed = "false";
  getAttribute = () => this.pressed;
  setAttribute = (_name, value) => (this.pressed = value);
}

test("only cameras that say so have a light", () => {
  assert.equal(hasTorch(camera(true).track), true);
  assert.equal(hasTorch(camera(undefined).track), false);
  assert.equal(hasTorch({}), false); // Firefox, and a canvas
  assert.equal(hasTorch(undefined), false);
});

test("on, off, and off again with another camera", async () => {
  const button = new FakeButton();
  const torch = new Torch(button);
  const back = camera(true);
  torch.follow(back);
  button.onclick();
  await settle();
  assert.deepEqual([back.track.asked, button.pressed], [[true], "true"]);
  torch.follow(back); // asked again with the first picture
  assert.equal(button.pressed, "true");
  torch.follow(camera(false));
  assert.deepEqual([button.hidden, button.pressed], [true, "false"]);
});

test("a light that is refused stays as it was", async () => {
  const button = new FakeButton();
  const torch = new Torch(button);
  torch.follow(camera(true, true));
  button.onclick();
  await settle();
  assert.equal(button.pressed, "false");
});
