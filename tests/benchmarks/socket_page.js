// Runs in the page for `seconds`; driven by socket_page.py. Reads the numbers that are burnt into the frames
// (media_worker/frame_code.py) where the camera and the page's canvas show them, on one clock.
async (seconds) => {
  const BLOCKS = 22, STRIP = 16, BITS = 16, CONTRAST = 90;
  /** Numbers come again with each turn of the clip; what is older is of an earlier turn. */
  const LATEST_MS = 4000;
  const code = new OffscreenCanvas(BLOCKS * 8, 4).getContext("2d", { willReadFrequently: true });

  const checksum = (number) => {
    let remainder = 0b1010;
    for (let shift = BITS - 1; shift >= 0; shift--) {
      remainder = (remainder << 1) | ((number >> shift) & 1);
      if (remainder & 16) remainder ^= 0b10011;
    }
    return remainder;
  };

  /** The number that a <video> or <canvas> shows, or null. */
  const read = (shown) => {
    const width = shown.videoWidth ?? shown.width, height = shown.videoHeight ?? shown.height;
    const { width: wide, height: high } = code.canvas;
    code.drawImage(shown, 0, height / STRIP / 4, width, height / STRIP / 2, 0, 0, wide, high);
    const pixels = code.getImageData(0, 0, wide, high).data;
    const level = (block) => pixels[(wide * 2 + block * 8 + 4) * 4 + 1];
    const white = level(0), black = level(1);
    if (white - black < CONTRAST) return null;
    let word = 0;
    for (let block = 2; block < BLOCKS; block++) word = (word << 1) | (level(block) - black > (white - black) / 2 ? 1 : 0);
    return checksum(word >> 4) === (word & 15) ? word >> 4 : null;
  };

  const camera = document.createElement("video");
  camera.muted = true;
  camera.srcObject = document.querySelector("#preview").srcObject;
  await camera.play();

  const captured = new Map(), found = { latencies: [], shown: 0, taken: 0 };
  const until = performance.now() + seconds * 1000;
  const watch = (now, metadata) => {
    if (performance.now() > until) return;
    found.taken++;
    const number = read(camera);
    if (number !== null) captured.set(number, metadata.captureTime ?? now);
    camera.requestVideoFrameCallback(watch);
  };
  camera.requestVideoFrameCallback(watch);
  lacquer.on("frame", () => {
    if (performance.now() > until) return;
    found.shown++;
    requestAnimationFrame(() => {
      const latency = performance.now() - captured.get(read(document.querySelector("#output")));
      if (latency < LATEST_MS) found.latencies.push(latency); // not NaN either
    });
  });
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return found;
}
