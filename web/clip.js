/** A short film of the painted picture, recorded in the browser: nothing of it leaves the device. */

export const CLIP_MS = 6000;
/** Shorter is a slip of the finger, or a connection that broke: nothing to look at. */
export const SHORTEST_MS = 700;
/** Twice what a call would take: sparkle is what codecs drop first. */
const BITS_PER_SECOND = 4_000_000;

/** MP4 first: phones and their apps open it. Firefox has WebM alone. */
const TYPES = ["video/mp4;codecs=avc1.42E01F", "video/mp4", "video/webm;codecs=vp8", "video/webm"];

/**
 * The best container and codec that the browser records, or null.
 * @param {((type: string) => boolean) | undefined} [isSupported]
 */
export function clipType(isSupported = globalThis.MediaRecorder?.isTypeSupported) {
  return TYPES.find((type) => isSupported?.(type)) ?? null;
}

export class Clip {
  #recorder;
  /** @type {Blob[]} */
  #pieces = [];
  /** The film, once it is over for whatever reason. @type {Promise<Blob>} */
  done;

  /**
   * @param {MediaStream} stream @param {string} type of `clipType`
   * @param {new (stream: MediaStream, options: MediaRecorderOptions) => MediaRecorder} [Recorder]
   */
  constructor(stream, type, Recorder = MediaRecorder) {
    const recorder = new Recorder(stream, { mimeType: type, videoBitsPerSecond: BITS_PER_SECOND });
    this.#recorder = recorder;
    this.done = new Promise((resolve) => {
      recorder.ondataavailable = ({ data }) => data.size > 0 && this.#pieces.push(data);
      recorder.onstop = () => resolve(new Blob(this.#pieces, { type: type.split(";")[0] }));
    });
    recorder.start();
  }

  /** Safe to call at any time: a track that ends stops the recorder by itself. */
  stop() {
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
  }
}
