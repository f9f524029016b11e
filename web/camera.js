/** The person's camera: opening it, turning it round, and saying in one code why it does not work. */

import { TryOnError } from "./errors.js";

/** @typedef {"environment" | "user"} Facing */

/** What the server's hand model needs; a phone held upright gives 480x640, which is as good. */
const PICTURE = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };
/** With the quality on High, where the camera has it; more than the server's video takes would only be scaled down. */
const LARGE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/**
 * @param {MediaTrackConstraints} choice which camera: `facingMode` or `deviceId`
 * @param {string} [quality] "high" for a larger picture
 * @returns {Promise<MediaStream>}
 * @throws {TryOnError} camera_… or insecure_origin
 */
export async function openCamera(choice = { facingMode: { ideal: "environment" } }, quality = "auto") {
  if (!window.isSecureContext) throw new TryOnError("insecure_origin");
  if (!navigator.mediaDevices?.getUserMedia) throw new TryOnError("camera_unsupported");
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { ...sizeFor(quality), ...choice }, audio: false });
    for (const track of stream.getVideoTracks()) track.contentHint = "motion"; // fluid before sharp, when bits are few
    return stream;
  } catch (error) {
    throw cameraError(error, cameraAllowedHere());
  }
}

/** @param {string} quality */
function sizeFor(quality) {
  return quality === "high" ? LARGE : PICTURE;
}

/** Changes the size of a running camera; one that cannot goes on as it is. @param {MediaStream} stream @param {string} quality */
export async function resizeCamera(stream, quality) {
  const [track] = stream.getVideoTracks();
  await track?.applyConstraints?.(sizeFor(quality)).catch(() => {});
}

/** The constraints that find a camera again that was lost. @param {MediaStream} stream @returns {MediaTrackConstraints} */
export function sameCamera(stream) {
  const { deviceId, facingMode } = stream.getVideoTracks()[0]?.getSettings() ?? {};
  return { ...(deviceId && { deviceId: { ideal: deviceId } }), ...(facingMode && { facingMode: { ideal: facingMode } }) };
}

/** Stops every track, which turns the camera's light off. @param {MediaStream | null | undefined} stream */
export function closeCamera(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/**
 * Why getUserMedia refused (W3C Media Capture §10.2), as a TryOnError.
 * @param {unknown} error
 * @param {boolean} [allowedHere] false inside an iframe that was not given the camera
 * @returns {TryOnError}
 */
export function cameraError(error, allowedHere = true) {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  /** @type {Record<string, string>} */
  const codes = {
    NotAllowedError: allowedHere ? "camera_denied" : "camera_blocked",
    SecurityError: "camera_blocked",
    NotFoundError: "camera_missing",
    OverconstrainedError: "camera_missing",
    NotReadableError: "camera_busy",
    AbortError: "camera_busy",
    TypeError: "camera_unsupported",
  };
  return new TryOnError(codes[name] ?? "camera_busy", String(error), { cause: error });
}

/** Chromium tells whether the embedding page passed the camera on (`<iframe allow="camera">`); others do not. */
function cameraAllowedHere() {
  const policy = /** @type {any} */ (document).featurePolicy;
  return policy?.allowsFeature ? policy.allowsFeature("camera") : true;
}

/** How many cameras there are. @returns {Promise<number>} */
export async function countCameras() {
  const devices = await navigator.mediaDevices?.enumerateDevices?.().catch(() => []);
  return (devices ?? []).filter(({ kind }) => kind === "videoinput").length;
}

/**
 * The constraints that pick the camera after the current one: front and back on phones, one by one elsewhere.
 * @param {{ facingMode?: string, deviceId?: string }} current settings of the running track
 * @param {{ kind: string, deviceId: string }[]} devices
 * @returns {MediaTrackConstraints}
 */
export function nextCamera(current, devices) {
  if (current.facingMode === "user") return { facingMode: { exact: "environment" } };
  if (current.facingMode === "environment") return { facingMode: { exact: "user" } };
  const cameras = devices.filter(({ kind }) => kind === "videoinput");
  const index = cameras.findIndex(({ deviceId }) => deviceId === current.deviceId);
  return { deviceId: { exact: cameras[(index + 1) % cameras.length].deviceId } };
}

/**
 * Replaces a running camera by the next one. Phones have one camera open at a time, so the old one stops first and
 * comes back where the other fails.
 * @param {MediaStream} stream
 * @returns {Promise<MediaStream>}
 */
export async function switchCamera(stream) {
  const current = stream.getVideoTracks()[0].getSettings();
  const choice = nextCamera(current, await navigator.mediaDevices.enumerateDevices());
  closeCamera(stream);
  try {
    return await openCamera(choice);
  } catch {
    return openCamera({ deviceId: current.deviceId }).catch((error) => {
      // Stopping a track raises no event, so whoever shows this camera does not know yet that it is gone for good.
      for (const track of stream.getVideoTracks()) track.dispatchEvent(new Event("ended"));
      throw error;
    });
  }
}

/**
 * Whether to show the picture as a mirror does. Only a back camera looks away from the person; a webcam that does not
 * say which way it faces looks at them.
 * @param {MediaStream} stream
 */
export function isMirror(stream) {
  return stream.getVideoTracks()[0]?.getSettings().facingMode !== "environment";
}
