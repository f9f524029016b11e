import assert from "node:assert/strict";
import { test } from "node:test";

import { WakeLock } from "../../web/wake-lock.js";
import { settle } from "./fakes.js";

/** A browser that gives a lock, or refuses; `hide` takes it back, as a browser does when the page is hidden. */
class FakeWakeLocks {
  given = [];
  refuse = false;

  async request() {
    if (this.refuse) throw new DOMException("", "NotAllowedError");
    const lock = Object.assign(new EventTarget(), { held: true });
    lock.release = async () => {
      lock.held = false;
      lock.dispatchEvent(new Event("release"));
    };
    this.given.push(lock);
    return lock;
  }
  get held() {
    return this.given.filter(({ held }) => held).length;
  }
  hide = () => Promise.all(this.given.map((lock) => lock.release()));
}

test("the screen stays on while wanted, with one lock", async () => {
  const locks = new FakeWakeLocks();
  const lock = new WakeLock(locks);
  lock.want(true);
  lock.want(true);
  await settle();
  assert.equal(locks.held, 1);
  lock.want(false);
  await settle();
  assert.equal(locks.held, 0);
});

test("hidden and seen again: asked for anew, but only if still wanted", async () => {
  const locks = new FakeWakeLocks();
  const lock = new WakeLock(locks);
  lock.want(true);
  await settle();
  await locks.hide();
  await lock.renew();
  assert.equal(locks.held, 1);
  lock.want(false);
  await lock.renew();
  assert.equal(locks.held, 0);
});

test("no longer wanted while the browser was still thinking", async () => {
  const locks = new FakeWakeLocks();
  const lock = new WakeLock(locks);
  lock.want(true);
  lock.want(false);
  await settle();
  assert.equal(locks.held, 0);
});

test("browsers that refuse or cannot are no error", async () => {
  const locks = Object.assign(new FakeWakeLocks(), { refuse: true });
  const lock = new WakeLock(locks);
  lock.want(true);
  await settle();
  locks.refuse = false;
  await lock.renew();
  assert.equal(locks.held, 1);
  new WakeLock(undefined).want(true);
});
