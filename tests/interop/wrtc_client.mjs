// A WHIP publisher and a WHEP player made of libwebrtc (@roamhq/wrtc).
//
//     node wrtc_client.mjs publish URL CODEC [TOKEN]    until stdin ends
//     node wrtc_client.mjs watch URL CODEC [TOKEN]      the same
//
// Says what happens as JSON, one object a line: `answer`, `state`, `frame`, `failed`.

import wrtc from "@roamhq/wrtc";

const { RTCPeerConnection, nonstandard } = wrtc;
const [WIDTH, HEIGHT, FPS] = [320, 240, 20];

const say = (what) => console.log(JSON.stringify(what));

/** Moving bars, so that there is something to encode. */
function picture(number) {
  const data = new Uint8ClampedArray((WIDTH * HEIGHT * 3) / 2).fill(128);
  for (let at = 0; at < WIDTH * HEIGHT; at += 1) data[at] = ((at % WIDTH) + number * 3) % 256;
  return { width: WIDTH, height: HEIGHT, data };
}

function publish(pc) {
  const source = new nonstandard.RTCVideoSource();
  const track = source.createTrack();
  pc.addTransceiver(track, { direction: "sendonly" });
  let number = 0;
  const timer = setInterval(() => source.onFrame(picture(number++)), 1000 / FPS);
  return () => {
    clearInterval(timer);
    track.stop();
  };
}

function watch(pc) {
  let sink;
  pc.addTransceiver("video", { direction: "recvonly" });
  pc.ontrack = ({ track }) => {
    sink = new nonstandard.RTCVideoSink(track);
    sink.onframe = ({ frame }) => say({ frame: [frame.width, frame.height] });
  };
  return () => sink?.stop();
}

function gathered(pc) {
  return new Promise((resolve) => {
    const look = () => pc.iceGatheringState === "complete" && resolve();
    pc.onicegatheringstatechange = look;
    look();
  });
}

async function connect(pc, url, token) {
  await pc.setLocalDescription(await pc.createOffer());
  await gathered(pc);
  const headers = { "Content-Type": "application/sdp", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(url, { method: "POST", headers, body: pc.localDescription.sdp });
  const body = await response.text();
  say({ answer: response.status, location: response.headers.get("Location") });
  if (!response.ok) throw new Error(body);
  await pc.setRemoteDescription({ type: "answer", sdp: body });
}

const [role, url, , token] = process.argv.slice(2);
const pc = new RTCPeerConnection();
pc.onconnectionstatechange = () => say({ state: pc.connectionState });
const stop = { publish, watch }[role](pc);
process.stdin.on("end", () => {
  stop();
  pc.close();
  process.exit(0);
});
process.stdin.resume();
connect(pc, url, token).catch((error) => say({ failed: String(error) }));
