import assert from "node:assert/strict";
import { test } from "node:test";

import { firstPicture, fitted, Upload } from "../../web/upload.js";
import { settle } from "./fakes.js";

class PhotoApi {
  uploaded = [];
  ended = [];
  async upload(photo) {
    this.uploaded.push(photo);
    return { session_id: `again-${this.uploaded.length}` };
  }
  async end({ session_id: id }) {
    this.ended.push(id);
  }
}

test("a phone's photo is made smaller, a small one stays", () => {
  assert.deepEqual(fitted({ width: 3000, height: 4000 }, 1600), { width: 1200, height: 1600 });
  assert.deepEqual(fitted({ width: 640, height: 480 }, 1600), { width: 640, height: 480 });
  assert.deepEqual(fitted({ width: 9000, height: 2 }, 1600), { width: 1600, height: 1 });
});

test("the first picture among what was dropped", () => {
  const [text, photo] = [{ type: "text/plain" }, { type: "image/png" }];
  assert.equal(firstPicture([text, photo]), photo);
  assert.equal(firstPicture([text]), null);
});

test("the session that the upload made is used once; later ones send the photo again", async () => {
  const api = new PhotoApi();
  const upload = new Upload(api, "photo", { session_id: "first" });
  assert.equal((await upload.session()).session_id, "first");
  assert.deepEqual(api.uploaded, []);
  assert.equal((await upload.session()).session_id, "again-1");
  assert.deepEqual(api.uploaded, ["photo"]);
});

test("a session that nobody will wear is ended, one in use is not", async () => {
  const api = new PhotoApi();
  new Upload(api, "photo", { session_id: "first" }).discard();
  const used = new Upload(api, "photo", { session_id: "second" });
  await used.session();
  used.discard();
  await settle();
  assert.deepEqual(api.ended, ["first"]);
});
