/** Stand-ins without a browser: a clock that is wound by hand, a camera, a server's API and a transport. */

export class FakeClock {
  time = 0;
  #timers = new Map();
  #count = 0;

  now = () => this.time;
  wall = () => 1e12 + this.time;
  setTimeout = (callback, ms) => {
    this.#timers.set(++this.#count, { at: this.time + ms, callback });
    return this.#count;
  };
  clearTimeout = (timer) => this.#timers.delete(timer);

  /** Lets `ms` pass; whatever is due runs in order, and promises settle in between. */
  async advance(ms) {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const [next] = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!next) break;
      const [id, { at, callback }] = next;
      this.#timers.delete(id);
      this.time = Math.max(this.time, at);
      callback();
    }
    this.time = end;
    await settle();
  }

  /** The machine sleeps: time passes, but no timer runs until it wakes. */
  async sleep(ms) {
    this.time += ms;
    await this.advance(0);
  }
}

/** Lets every promise that can settle do so. */
export async function settle() {
  for (let i = 0; i < 20; i++) await null;
}

export class FakeTrack extends EventTarget {
  stopped = false;
  muted = false;
  readyState = "live";
  end() {
    this.readyState = "ended";
    this.dispatchEvent(new Event("ended"));
  }
  stop() {
    this.stopped = true;
  }
}

export class FakeCamera {
  track = new FakeTrack();
  getTracks = () => [this.track];
  getVideoTracks = () => [this.track];
}

export class FakeApi {
  created = 0;
  ended = [];
  extended = [];
  /** Errors for the next calls of createSession, in order. */
  refusals = [];

  async createSession(postId) {
    const refusal = this.refusals.shift();
    if (refusal) throw refusal;
    this.created += 1;
    const urls = { webrtc_url: "", ws_url: "", ice_servers: [] };
    return { session_id: `session-${this.created}`, token: "t", design: { id: postId }, ...urls };
  }
  async extend(session) {
    this.extended.push(session.session_id);
  }
  async end(session) {
    this.ended.push(session.session_id);
  }
}

/** A transport that does what the test says; `answers` makes it a healthy server. */
export class FakeTransport {
  kind = "fake";
  output = {};
  sent = [];
  paused = [];
  qualities = [];
  closed = null;
  /** What the server says of this connection when asked by another way. */
  gone = null;

  constructor(options, { answers = true, refuse = null, hangs = false } = {}) {
    this.options = options;
    this.hangs = hangs;
    this.answers = answers;
    this.refuse = refuse;
  }

  async connect() {
    if (this.refuse) throw this.refuse;
    if (this.hangs) await new Promise(() => {});
    if (!this.answers) return;
    this.say({ type: "ready", session_id: this.options.session.session_id });
    this.options.onFrame();
  }
  say(message) {
    this.options.onText(message);
  }
  send(message) {
    this.sent.push(message);
    if (message.type === "ping" && this.answers) this.say({ type: "pong", t: message.t });
  }
  setPaused(paused) {
    this.paused.push(paused);
  }
  setQuality(quality) {
    this.qualities.push(quality);
  }
  async probe() {
    if (this.gone) throw this.gone;
  }
  async replaceSource(source) {
    this.options.source = source;
  }
  async stats() {
    return { fps: 30, loss: 0, detail: {}, link: { loss: 0, fps: 30 } };
  }
  close(leaving = false) {
    this.closed ??= leaving ? "leaving" : "closed";
  }
  /** Messages of one type that were sent. */
  said(type) {
    return this.sent.filter((message) => message.type === type);
  }
}
