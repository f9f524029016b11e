// Glass to glass, inside the page: reads the number that is burnt into each camera frame (media_worker/frame_code.py)
// where the camera's own <video> shows it and where the processed <video> shows it, on one clock.
(() => {
  const BLOCKS = 22, STRIP = 16;
  const canvas = new OffscreenCanvas(BLOCKS * 8, 4);
  const context = canvas.getContext("2d", { willReadFrequently: true });

  const checksum = (number) => {
    let remainder = 0b1010;
    for (let shift = 15; shift >= 0; shift--) {
      remainder = (remainder << 1) | ((number >> shift) & 1);
      if (remainder & 16) remainder ^= 0b10011;
    }
    return remainder;
  };

  const read = (video) => {
    const { videoWidth: width, videoHeight: height } = video;
    context.drawImage(video, 0, height / STRIP / 4, width, height / STRIP / 2, 0, 0, canvas.width, canvas.height);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const level = (block) => pixels[((canvas.width * 2) + block * 8 + 4) * 4 + 1];
    const white = level(0), black = level(1);
    if (white - black < 90) return null;
    let word = 0;
    for (let block = 2; block < BLOCKS; block++) word = (word << 1) | (level(block) - black > (white - black) / 2 ? 1 : 0);
    return checksum(word >> 4) === (word & 15) ? word >> 4 : null;
  };

  const watch = (video, seen) => {
    const each = (now, metadata) => {
      seen(read(video), metadata, now);
      video.requestVideoFrameCallback(each);
    };
    video.requestVideoFrameCallback(each);
  };

  addEventListener("click", () => (window.pressedAt ??= performance.now()), true);

  window.measure = async (camera, output, seconds) => {
    const captured = new Map(), latencies = [], sizes = new Set();
    let sent = 0, shown = 0, unread = 0;
    const began = performance.now();
    watch(camera, (number, metadata, now) => {
      sent++;
      if (number !== null) captured.set(number, metadata.captureTime ?? now);
    });
    watch(output, (number, metadata) => {
      shown++;
      sizes.add(`${metadata.width}x${metadata.height}`);
      const at = captured.get(number);
      if (at === undefined) unread++;
      else latencies.push(metadata.expectedDisplayTime - at);
    });
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const elapsed = (performance.now() - began) / 1000;
    return { sent: sent / elapsed, fps: shown / elapsed, unread, latencies: latencies.filter((ms) => ms < 4000), sizes: [...sizes] };
  };
})();
