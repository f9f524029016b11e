// A person's browser, N times over: sends the camera, shows what comes back, and reads the number that is burnt into each
// frame (media_worker/frame_code.py) where the camera's <video> and the returned one show it, on one clock.
// Driven by media_worker/bench/browser_run.py, which calls what `bench` holds.
(() => {
  /** Numbers come again with each turn of the clip (camera.py); what is older than this is of an earlier turn. */
  const LATEST_MS = 4000;
  const BLOCKS = 22, STRIP = 16, BITS = 16, CONTRAST = 90;
  const camera = document.querySelector("#camera");
  /** Every stream: its RTCPeerConnection `pc`, its `video`, the moment `began`, its `sizes` over time. */
  const streams = [];

  const code = new OffscreenCanvas(BLOCKS * 8, 4).getContext("2d", { willReadFrequently: true });
  const whole = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

  const checksum = (number) => {
    let remainder = 0b1010;
    for (let shift = BITS - 1; shift >= 0; shift--) {
      remainder = (remainder << 1) | ((number >> shift) & 1);
      if (remainder & 16) remainder ^= 0b10011;
    }
    return remainder;
  };

  /** The number of the frame that a <video> shows, or null. */
  const read = (video) => {
    const { videoWidth: width, videoHeight: height } = video;
    const { width: wide, height: high } = code.canvas;
    code.drawImage(video, 0, height / STRIP / 4, width, height / STRIP / 2, 0, 0, wide, high);
    const pixels = code.getImageData(0, 0, wide, high).data;
    const level = (block) => pixels[(wide * 2 + block * 8 + 4) * 4 + 1];
    const white = level(0), black = level(1);
    if (white - black < CONTRAST) return null;
    let word = 0;
    for (let block = 2; block < BLOCKS; block++) word = (word << 1) | (level(block) - black > (white - black) / 2 ? 1 : 0);
    return checksum(word >> 4) === (word & 15) ? word >> 4 : null;
  };

  /** Calls `seen(metadata, now)` for every frame that a <video> shows, until `until` is aborted. */
  const watch = (video, seen, until) => {
    const each = (now, metadata) => {
      if (until?.aborted) return;
      seen(metadata, now);
      video.requestVideoFrameCallback(each);
    };
    video.requestVideoFrameCallback(each);
  };

  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  const post = async (path, body, type) => {
    const response = await fetch(path, { method: "POST", body, headers: { "Content-Type": type } });
    if (!response.ok) throw new Error(await response.text());
    return response.text();
  };

  /** The one codec, as any client would ask for it: H.264 in constrained baseline, or VP8; helpers follow. */
  const codecs = (name) => {
    const all = RTCRtpReceiver.getCapabilities("video").codecs;
    const baseline = ({ sdpFmtpLine: line = "" }) => /profile-level-id=42[e0]0/i.test(line) && /packetization-mode=1/.test(line);
    const wanted = all.filter((each) => each.mimeType.toLowerCase() === `video/${name}` && (name !== "h264" || baseline(each)));
    if (!wanted.length) throw new Error(`this browser has no ${name}`);
    return [...wanted, ...all.filter(({ mimeType }) => mimeType.toLowerCase() === "video/rtx")];
  };

  const gathered = (pc) => new Promise((resolve) => {
    pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && resolve();
    setTimeout(resolve, 1000);
  });

  const connect = async (track, codec) => {
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const video = Object.assign(document.createElement("video"), { muted: true, autoplay: true, playsInline: true });
    document.body.append(video);
    const stream = { pc, video, began: performance.now(), sizes: [], first: null };
    pc.createDataChannel("tryon");
    const transceiver = pc.addTransceiver(track, { direction: "sendrecv" });
    transceiver.setCodecPreferences(codecs(codec));
    pc.ontrack = ({ track: returned }) => {
      video.srcObject = new MediaStream([returned]);
      watch(video, ({ width, height }) => {
        const size = `${width}x${height}`, seconds = (performance.now() - stream.began) / 1000;
        stream.first ??= seconds;
        if (stream.sizes.at(-1)?.[1] !== size) stream.sizes.push([seconds, size]);
      });
    };
    await pc.setLocalDescription(await pc.createOffer());
    await gathered(pc);
    const answer = await post("offer", pc.localDescription.sdp, "application/sdp");
    await pc.setRemoteDescription({ type: "answer", sdp: answer });
    if ("jitterBufferTarget" in transceiver.receiver) transceiver.receiver.jitterBufferTarget = 0; // a mirror: no delay
    streams.push(stream);
  };

  const shown = async (stream, limitMs) => {
    for (const began = performance.now(); stream.first === null; await pause(20))
      if (performance.now() - began > limitMs) throw new Error("no picture came back");
  };

  /** What getStats counted so far. */
  const counters = async ({ pc }) => {
    const found = { sent: 0, returned: 0, up: 0, down: 0 };
    for (const entry of (await pc.getStats()).values()) {
      if (entry.kind !== "video") continue;
      if (entry.type === "outbound-rtp") Object.assign(found, { sent: entry.framesSent, up: entry.bytesSent });
      if (entry.type === "inbound-rtp") Object.assign(found, { returned: entry.framesDecoded, down: entry.bytesReceived });
    }
    return found;
  };

  const observe = (stream, captured, until) => {
    const found = { latencies: [], shown: 0, unread: 0 };
    watch(stream.video, (metadata) => {
      found.shown++;
      const latency = metadata.expectedDisplayTime - captured.get(read(stream.video));
      if (latency < LATEST_MS) found.latencies.push(latency);
      else found.unread++; // NaN, too
    }, until);
    return found;
  };

  const pixels = (video) => {
    Object.assign(whole.canvas, { width: video.videoWidth, height: video.videoHeight });
    whole.drawImage(video, 0, 0);
    return whole.getImageData(0, 0, video.videoWidth, video.videoHeight);
  };

  window.bench = {
    /** Opens the camera and `count` streams of it; resolves when all of them show a picture. */
    async start(count, codec) {
      const wanted = { width: 640, height: 480, frameRate: 30 };
      camera.srcObject = await navigator.mediaDevices.getUserMedia({ video: wanted });
      const [track] = camera.srcObject.getVideoTracks();
      await Promise.all(Array.from({ length: count }, () => connect(track, codec)));
      await Promise.all(streams.map((stream) => shown(stream, 20000)));
    },

    /** Watches for `seconds`; what was found, stream by stream. */
    async measure(seconds) {
      const captured = new Map(), ending = new AbortController();
      let taken = 0;
      watch(camera, (metadata, now) => {
        taken++;
        const number = read(camera);
        if (number !== null) captured.set(number, metadata.captureTime ?? now);
      }, ending.signal);
      const before = await Promise.all(streams.map(counters)), began = performance.now();
      const found = streams.map((stream) => observe(stream, captured, ending.signal));
      await pause(seconds * 1000);
      const after = await Promise.all(streams.map(counters)), elapsed = (performance.now() - began) / 1000;
      ending.abort();
      const count = (index, what) => after[index][what] - before[index][what];
      return streams.map(({ first, sizes }, index) => ({
        ...found[index], first, sizes, seconds: elapsed, taken,
        ...Object.fromEntries(["sent", "returned", "up", "down"].map((what) => [what, count(index, what)])),
      }));
    },

    /** Posts up to `count` frames of the first stream twice: as sent, and as they came back. */
    async grab(count, limitMs) {
      const [{ video }] = streams, ending = new AbortController(), pairs = [];
      let waiting = null;
      watch(camera, (metadata, now) => {
        if (waiting && now - waiting.at < 1000) return;
        const number = read(camera);
        waiting = number === null ? null : { number, at: now, picture: pixels(camera) };
      }, ending.signal);
      watch(video, () => {
        if (!waiting || read(video) !== waiting.number) return;
        pairs.push([waiting.picture, pixels(video)]);
        waiting = null;
      }, ending.signal);
      for (const began = performance.now(); pairs.length < count && performance.now() - began < limitMs; ) await pause(50);
      ending.abort();
      for (const [sent, returned] of pairs)
        for (const [name, { width, height, data }] of [["sent", sent], ["returned", returned]])
          await post(`picture/${name}?width=${width}&height=${height}`, data, "application/octet-stream");
      return pairs.length;
    },
  };
})();
