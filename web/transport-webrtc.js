/**
 * The camera as a WebRTC track, the processed track back, and the data channel `tryon` beside them.
 *
 * Signalling is WHIP-shaped (RFC 9725): the offer is POSTed, candidates found later are PATCHed, leaving is a DELETE.
 * The client's SDP goes out as the browser wrote it.
 */

import { TryOnError } from "./errors.js";
import { between, totals } from "./link-stats.js";
import { Inbox } from "./messages.js";

/**
 * What a session gives a transport, and hears from it.
 * @typedef {object} TransportOptions
 * @property {import("./api.js").Api} api
 * @property {import("./api.js").SessionInfo} session
 * @property {MediaStream} source
 * @property {(message: import("./messages.js").Text) => void} onText
 * @property {(message: import("./messages.js").BinaryMessage) => void} onBinary
 * @property {() => void} onFrame a processed picture was shown
 * @property {(error: TryOnError) => void} onLost said once, and never after `close()`
 */

/**
 * What both transports can do.
 * @typedef {object} Transport
 * @property {"webrtc" | "websocket"} kind
 * @property {HTMLVideoElement | HTMLCanvasElement} output shows the processed picture
 * @property {() => Promise<void>} connect resolves when messages can be sent
 * @property {(message: object) => void} send
 * @property {(paused: boolean) => void} setPaused
 * @property {(quality: string) => void} setQuality "auto", "saver" or "high", of what is sent
 * @property {(source: MediaStream) => Promise<void>} replaceSource
 * @property {() => Promise<void>} probe asks by another way than this one; rejects with what the server says of a
 *   connection that it does not have any more
 * @property {() => Promise<TransportStats>} stats
 * @property {(leaving?: boolean) => void} close idempotent; `leaving` says that the session ends with it
 */

/**
 * @typedef {object} TransportStats
 * @property {number | null} fps null at the first look, which only starts the counters
 * @property {number | null} loss of both directions the worse one, 0–1
 * @property {number | null} [cameraFps]
 * @property {number | null} [sentFps]
 * @property {number | null} [jitterMs]
 * @property {"bandwidth" | "cpu" | null} [limit] why the encoder sends less than the camera gives
 * @property {Record<string, unknown>} detail
 * @property {import("./link-stats.js").Link} [link] what to tell the server, where its video has a link of its own
 */

/** How long the offer waits for candidates. Host candidates take a few ms; slower ones are trickled. */
const GATHERING_MS = 250;

/** What is sent at most, by `config.quality`. On 640x480, saver sends 480x360. @type {Record<string, RTCRtpEncodingParameters>} */
const SENT = {
  saver: { maxBitrate: 400_000, maxFramerate: 24, scaleResolutionDownBy: 4 / 3 },
  auto: { maxBitrate: 2_500_000 },
  high: { maxBitrate: 4_000_000 },
};

/** @param {string | null} [codec] "vp8" or "h264" to allow only that one */
export function webrtcFactory(codec = null) {
  return (/** @type {TransportOptions} */ options) => new WebRtcTransport(options, codec);
}

/** @returns {boolean} */
export function webrtcAvailable() {
  return typeof RTCPeerConnection === "function";
}

/** @implements {Transport} */
export class WebRtcTransport {
  kind = /** @type {const} */ ("webrtc");
  output = createVideo();

  #options;
  #codec;
  #pc;
  #channel;
  /** @type {RTCRtpTransceiver} */
  #transceiver;
  /** @type {import("./api.js").SdpAnswer | null} */
  #resource = null;
  /** @type {RTCIceCandidate[] | null} found since the offer left; null once they can be trickled as they come */
  #waiting = [];
  #abort = new AbortController();
  #closed = false;
  #paused = false;
  #quality = "auto";
  /** @type {import("./link-stats.js").Totals | null} */
  #totals = null;

  /** @param {TransportOptions} options @param {string | null} codec */
  constructor(options, codec) {
    this.#options = options;
    this.#codec = codec;
    this.#pc = new RTCPeerConnection({ iceServers: options.session.ice_servers, bundlePolicy: "max-bundle" });
    this.#channel = this.#pc.createDataChannel("tryon");
    this.#channel.binaryType = "arraybuffer";
    const [track] = options.source.getVideoTracks();
    this.#transceiver = this.#pc.addTransceiver(track, { direction: "sendrecv", streams: [options.source] });
    this.#listen();
  }

  async connect() {
    const opened = this.#opened();
    opened.catch(() => {}); // the negotiation below reports first where both fail
    preferCodecs(this.#transceiver, this.#codec);
    await this.#pc.setLocalDescription(await this.#pc.createOffer());
    await gathered(this.#pc, GATHERING_MS);
    const { api, session } = this.#options;
    const offer = /** @type {RTCSessionDescription} */ (this.#pc.localDescription).sdp;
    this.#waiting = []; // all that were found until now are in the offer
    const resource = await api.offer(session, offer, this.#abort.signal);
    if (this.#closed) return this.#hangUp(resource);
    this.#resource = resource;
    await this.#pc.setRemoteDescription({ type: "answer", sdp: resource.answer });
    this.#trickleWaiting();
    hurry(this.#transceiver.receiver);
    this.#encodeAsWanted();
    await opened;
  }

  /** @param {object} message */
  send(message) {
    if (this.#channel.readyState === "open") this.#channel.send(JSON.stringify(message));
  }

  /**
   * Freezes the picture and stops sending the camera: nothing leaves the device while paused.
   * @param {boolean} paused
   */
  setPaused(paused) {
    this.#paused = paused;
    if (paused) this.output.pause();
    else void this.output.play().catch(() => {}); // refused autoplay: the next touch of the page plays it
    this.#encodeAsWanted();
  }

  /** @param {string} quality */
  setQuality(quality) {
    this.#quality = quality;
    this.#encodeAsWanted();
  }

  #encodeAsWanted() {
    const { sender } = this.#transceiver;
    const parameters = sender.getParameters();
    if (!parameters.encodings?.length) return; // not negotiated yet: `connect` comes back to it
    parameters.encodings = parameters.encodings.map((encoding) => encodingFor(encoding, this.#quality, this.#paused));
    sender.setParameters(parameters).catch(() => {}); // older WebKit refuses: it sends on as before
  }

  /** An empty trickle fragment: signaling hands it to the worker, which answers whether it has this connection. */
  async probe() {
    const { api, session } = this.#options;
    if (this.#resource) await api.trickle(session, this.#resource, "a=ice-ufrag:\r\n");
  }

  /** @param {MediaStream} source */
  async replaceSource(source) {
    this.#options.source = source;
    await this.#transceiver.sender.replaceTrack(source.getVideoTracks()[0]);
  }

  async stats() {
    const detail = details(await this.#pc.getStats());
    const { inbound, outbound, remoteInbound, source } = detail;
    const [before, after] = [this.#totals, totals(detail, performance.now())];
    this.#totals = after;
    const sending = {
      cameraFps: source?.framesPerSecond ?? null,
      sentFps: outbound?.framesPerSecond ?? null,
      jitterMs: inbound?.jitter === undefined ? null : inbound.jitter * 1000,
      limit: limitOf(outbound?.qualityLimitationReason),
      detail,
    };
    if (!before || !after) return { fps: null, loss: null, ...sending };
    const link = between(before, after);
    const loss = Math.max(link.loss ?? 0, remoteInbound?.fractionLost ?? 0);
    return { fps: link.fps ?? null, loss, ...sending, link };
  }

  /** @param {boolean} [leaving] */
  close(leaving = false) {
    if (this.#closed) return;
    this.#closed = true;
    if (leaving) this.send({ type: "bye" });
    this.#abort.abort();
    this.#pc.close();
    if (this.#resource && !leaving) void this.#hangUp(this.#resource); // the session's own DELETE covers it otherwise
  }

  #listen() {
    const { onFrame } = this.#options;
    const inbox = new Inbox(this.#options);
    this.#channel.onmessage = ({ data }) => {
      if (!this.#closed) inbox.push(data);
    };
    this.#pc.ontrack = ({ track }) => {
      this.output.srcObject = new MediaStream([track]);
      onEachFrame(this.output, () => !this.#closed, onFrame);
      void this.output.play().catch(() => {}); // refused autoplay: the next touch of the page plays it
    };
    this.#pc.onicecandidate = ({ candidate }) => {
      if (!candidate?.candidate) return;
      if (this.#waiting) this.#waiting.push(candidate);
      else this.#trickle([candidate]);
    };
  }

  /** Resolves when the data channel opens; what happens to the connection later is told by `onLost`. */
  #opened() {
    return /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        let open = false;
        const lost = (/** @type {string} */ code, /** @type {string} */ message) => {
          const error = new TryOnError(code, message);
          if (open && !this.#closed) this.#options.onLost(error);
          open = false;
          reject(error);
        };
        this.#channel.onopen = () => {
          open = true;
          resolve();
        };
        this.#channel.onclose = () => lost("connection_lost", "the data channel closed");
        this.#pc.onconnectionstatechange = () => {
          if (this.#pc.connectionState !== "failed") return;
          lost(open ? "connection_lost" : "connection_failed", "the peer connection failed");
        };
        this.#abort.signal.addEventListener("abort", () => reject(new TryOnError("connection_lost", "closed")));
      })
    );
  }

  #trickleWaiting() {
    const late = this.#waiting ?? [];
    this.#waiting = null;
    if (late.length > 0) this.#trickle(late);
  }

  /** @param {RTCIceCandidate[]} candidates */
  #trickle(candidates) {
    const { api, session } = this.#options;
    if (!this.#resource || this.#closed) return;
    // A late candidate that is refused costs a path, not the connection.
    api.trickle(session, this.#resource, sdpFragment(candidates)).catch((error) => console.info("lacquer:", error));
  }

  /** @param {import("./api.js").SdpAnswer} resource */
  async #hangUp({ location }) {
    const { api, session } = this.#options;
    // Usually too late to matter: the server may have freed everything on `bye` or be gone.
    if (location) await api.hangUp(session, location).catch(() => {});
  }
}

/**
 * How to encode the camera: nothing leaves the device while paused.
 * @param {RTCRtpEncodingParameters} encoding as it is
 * @param {string} quality
 * @param {boolean} paused
 * @returns {RTCRtpEncodingParameters}
 */
export function encodingFor(encoding, quality, paused) {
  const kept = { ...encoding, scaleResolutionDownBy: 1 };
  delete kept.maxFramerate;
  return { ...kept, ...(SENT[quality] ?? SENT.auto), active: !paused };
}

/**
 * The entries of `getStats` that tell of our two streams, and of the path that they take.
 * @param {RTCStatsReport} report
 * @returns {Record<string, any>}
 */
function details(report) {
  /** @type {Record<string, any>} */
  const detail = {};
  for (const entry of report.values()) {
    if (entry.type === "inbound-rtp" && entry.kind === "video") detail.inbound = entry;
    if (entry.type === "outbound-rtp" && entry.kind === "video") detail.outbound = entry;
    if (entry.type === "media-source" && entry.kind === "video") detail.source = entry;
    if (entry.type === "remote-inbound-rtp") detail.remoteInbound = entry;
    if (entry.type === "candidate-pair" && entry.nominated && entry.state === "succeeded") detail.pair = entry;
  }
  const codec = report.get(detail.inbound?.codecId);
  if (codec) detail.codec = codec.mimeType;
  const ends = [detail.pair?.localCandidateId, detail.pair?.remoteCandidateId].map((id) => id && report.get(id));
  if (detail.pair) detail.relayed = ends.some((end) => end?.candidateType === "relay");
  return detail;
}

/** @param {string | undefined} reason @returns {"bandwidth" | "cpu" | null} */
function limitOf(reason) {
  return reason === "bandwidth" || reason === "cpu" ? reason : null;
}

/**
 * Candidates as RFC 8840 fragments: credentials once, then each candidate under its media line.
 * @param {Pick<RTCIceCandidate, "candidate" | "sdpMid" | "usernameFragment">[]} candidates
 */
export function sdpFragment(candidates) {
  const lines = [`a=ice-ufrag:${candidates[0].usernameFragment ?? ""}`];
  const mids = [...new Set(candidates.map(({ sdpMid }) => sdpMid ?? "0"))];
  for (const mid of mids) {
    lines.push("m=video 9 UDP/TLS/RTP/SAVPF 0", `a=mid:${mid}`);
    for (const { candidate, sdpMid } of candidates) if ((sdpMid ?? "0") === mid) lines.push(`a=${candidate}`);
  }
  return `${lines.join("\r\n")}\r\n`;
}

/**
 * The codecs to offer, in order: H.264 as the server speaks it, then VP8; helpers such as rtx follow.
 * @template {{ mimeType: string, sdpFmtpLine?: string }} C
 * @param {C[]} codecs what the browser has
 * @param {string | null} [only] "vp8" or "h264"
 * @returns {C[]}
 */
export function orderCodecs(codecs, only = null) {
  const name = (/** @type {C} */ codec) => codec.mimeType.toLowerCase().replace("video/", "");
  const fmtp = (/** @type {C} */ codec) => codec.sdpFmtpLine ?? "";
  // The server decodes constrained baseline (42e01f, 42001f) with fragmentation; High would break it.
  const spoken = [/profile-level-id=42[e0]0/i, /packetization-mode=1/];
  const baseline = codecs.filter(
    (codec) => name(codec) === "h264" && spoken.every((pattern) => pattern.test(fmtp(codec))),
  );
  const vp8 = codecs.filter((codec) => name(codec) === "vp8");
  const media = [...(only === "vp8" ? [] : baseline), ...(only === "h264" ? [] : vp8)];
  const helpers = codecs.filter((codec) => ["rtx", "red", "ulpfec"].includes(name(codec)));
  return media.length > 0 ? [...media, ...helpers] : [];
}

/** @param {RTCRtpTransceiver} transceiver @param {string | null} only */
function preferCodecs(transceiver, only) {
  const codecs = RTCRtpReceiver.getCapabilities?.("video")?.codecs ?? [];
  const order = orderCodecs(codecs, only);
  if (only && order.length === 0) throw new TryOnError("connection_failed", `this browser has no ${only}`);
  if (order.length > 0 && transceiver.setCodecPreferences) transceiver.setCodecPreferences(order);
}

/**
 * Asks for the shortest playout delay: a mirror that lags is worse than one that stutters.
 * @param {RTCRtpReceiver} receiver
 */
function hurry(receiver) {
  if ("jitterBufferTarget" in receiver) /** @type {any} */ (receiver).jitterBufferTarget = 0;
}

/** @param {RTCPeerConnection} pc @param {number} limitMs @returns {Promise<void>} */
function gathered(pc, limitMs) {
  return new Promise((resolve) => {
    setTimeout(resolve, limitMs);
    pc.addEventListener("icegatheringstatechange", () => {
      if (pc.iceGatheringState === "complete") resolve();
    });
  });
}

function createVideo() {
  const video = document.createElement("video");
  video.muted = true;
  video.autoplay = true;
  video.playsInline = true;
  video.disablePictureInPicture = true;
  return video;
}

/**
 * Calls back for every picture shown, or once a second where the browser cannot tell (Firefox before 132).
 * @param {HTMLVideoElement} video @param {() => boolean} wanted @param {() => void} callback
 */
function onEachFrame(video, wanted, callback) {
  if (typeof video.requestVideoFrameCallback !== "function") {
    video.addEventListener("timeupdate", () => wanted() && callback());
    return;
  }
  const step = () => {
    if (!wanted()) return;
    callback();
    video.requestVideoFrameCallback(step);
  };
  video.requestVideoFrameCallback(step);
}
