import assert from "node:assert/strict";
import { test } from "node:test";

import { DOUBT_MS, Heartbeat, LOOK_MS, SILENCE_MS } from "../../web/heartbeat.js";

/** Looks every quarter of a second up to `until`; what each look said. */
function watched(heartbeat, until, { from = LOOK_MS, quiet = false, hears = () => false } = {}) {
  const looks = [];
  for (let now = from; now <= until; now += LOOK_MS) {
    if (hears(now)) heartbeat.heard(now);
    looks.push({ now, ...heartbeat.look(now, now, quiet) });
  }
  return looks;
}

const first = (looks, name) => looks.find((look) => look[name])?.now;

test("pings once a second", () => {
  const looks = watched(new Heartbeat(0, 0), 4000, { hears: () => true });
  assert.deepEqual(looks.filter(({ ping }) => ping).map(({ now }) => now), [250, 1250, 2250, 3250]);
});

test("a silence is asked about soon, again each second, and is a loss in the end", () => {
  const looks = watched(new Heartbeat(0, 0), 3500);
  assert.deepEqual(looks.filter(({ ask }) => ask).map(({ now }) => now), [750, 1750, 2750]);
  assert.equal(first(looks, "lost"), SILENCE_MS + LOOK_MS);
});

test("what is heard ends all doubt", () => {
  const looks = watched(new Heartbeat(0, 0), 5000, { hears: (now) => now % 500 === 0 });
  assert.equal(first(looks, "ask"), undefined);
});

test("without pictures, one answer a second is no silence", () => {
  const hears = (now) => now % 1000 === 0;
  assert.equal(first(watched(new Heartbeat(0, 0), 5000, { quiet: true, hears }), "ask"), undefined);
  assert.ok(first(watched(new Heartbeat(0, 0), 5000, { hears }), "ask") > DOUBT_MS);
});

test("another network makes it impatient, for some seconds", () => {
  const heartbeat = new Heartbeat(0, 0);
  heartbeat.beWary(0);
  assert.equal(first(watched(heartbeat, 3000), "lost"), 1750);
  const later = new Heartbeat(10_000, 10_000);
  later.beWary(0);
  assert.equal(first(watched(later, 14_000, { from: 10_250 }), "lost"), 10_000 + SILENCE_MS + LOOK_MS);
});

test("after sleep it asks and does not blame the server, also where the first clock slept, too", () => {
  for (const [now, wall] of [[60_000, 60_000], [250, 60_000]]) {
    const heartbeat = new Heartbeat(0, 0);
    const { slept, ask, ping, lost } = heartbeat.look(now, wall, false);
    assert.deepEqual([slept, ask, ping, lost], [true, true, true, false]);
  }
});
