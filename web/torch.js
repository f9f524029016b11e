/** The light beside a phone's back camera (W3C Image Capture §6: the constraint `torch`). */

/**
 * Chromium on Android knows a camera's capabilities only once it runs: ask again with the first picture.
 * @param {MediaStreamTrack | undefined} track
 */
export function hasTorch(track) {
  const capabilities = /** @type {{ torch?: boolean }} */ (track?.getCapabilities?.() ?? {});
  return capabilities.torch === true;
}

export class Torch {
  #button;
  /** @type {MediaStreamTrack | undefined} */
  #track;

  /** @param {HTMLButtonElement} button hidden where there is no light */
  constructor(button) {
    this.#button = button;
    button.onclick = () => void this.#turn(button.getAttribute("aria-pressed") !== "true");
  }

  /** Another camera starts without its light. @param {MediaStream | null} stream */
  follow(stream) {
    const track = stream?.getVideoTracks()[0];
    if (track !== this.#track) this.#show(false);
    this.#track = track;
    this.#button.hidden = !hasTorch(track);
  }

  /** @param {boolean} on */
  async #turn(on) {
    const constraint = /** @type {MediaTrackConstraintSet} */ ({ torch: on });
    try {
      await this.#track?.applyConstraints({ advanced: [constraint] });
      this.#show(on);
    } catch (error) {
      console.info("lacquer: torch:", error); // taken by another app: it stays as it is
    }
  }

  /** @param {boolean} on */
  #show(on) {
    this.#button.setAttribute("aria-pressed", String(on));
  }
}
