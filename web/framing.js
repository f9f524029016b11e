/**
 * The binary message: exactly 1024 bytes of header (one UTF-8 JSON object, NUL padded), then the payload.
 *
 * The same rules as protocol/framing.py, checked against the same golden vectors. Pure functions over bytes.
 */

export const HEADER_SIZE = 1024;
export const MAX_FRAME_SIZE = 4 * 1024 * 1024;
export const MAX_CHUNKS = 128;
export const MAX_PARTIAL_MESSAGES = 4;
export const CHUNK_FIELDS = ["message_id", "chunk_index", "chunk_count"];

/** @typedef {Record<string, any>} Header */
/** @typedef {{ header: Header, payload: Uint8Array }} BinaryMessage */

/** A message that breaks the protocol; `code` is the server's word for the same fault. */
export class FramingError extends Error {
  /** @param {"bad_header" | "too_large"} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = "FramingError";
    this.code = code;
  }
}

/**
 * One message. `image_size` is filled in from `payload` where `header` does not name it.
 * @param {Header} header
 * @param {Uint8Array} [payload]
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function pack(header, payload = new Uint8Array()) {
  const text = new TextEncoder().encode(JSON.stringify({ image_size: payload.length, ...header }));
  if (text.length > HEADER_SIZE) throw bad(`header is ${text.length} bytes of JSON; ${HEADER_SIZE} fit`);
  const message = new Uint8Array(HEADER_SIZE + payload.length);
  message.set(text);
  message.set(payload, HEADER_SIZE);
  return message;
}

/**
 * The parts of one message, checked: `type` is a string and `image_size` is true.
 *
 * Of a chunk, `image_size` is the whole image's, so only its range is checked here; `Reassembler` checks the sum.
 * @param {ArrayBuffer | Uint8Array} data
 * @returns {BinaryMessage}
 */
export function unpack(data) {
  const message = data instanceof Uint8Array ? data : new Uint8Array(data);
  if (message.length < HEADER_SIZE) {
    throw bad(`message has ${message.length} bytes; the header alone takes ${HEADER_SIZE}`);
  }
  const header = parseHeader(message.subarray(0, HEADER_SIZE));
  const payload = message.subarray(HEADER_SIZE);
  if (typeof header.type !== "string") throw bad("header has no string `type`");
  const size = natural(header, "image_size");
  if (Math.max(size, payload.length) > MAX_FRAME_SIZE) {
    const bytes = Math.max(size, payload.length);
    throw new FramingError("too_large", `image has ${bytes} bytes; ${MAX_FRAME_SIZE} are taken`);
  }
  if (!isChunk(header) && size !== payload.length) {
    throw bad(`image_size says ${size} bytes, ${payload.length} came`);
  }
  return { header, payload };
}

/**
 * Whether this message is a part of a larger one.
 * @param {Header} header
 */
export function isChunk(header) {
  return "chunk_count" in header;
}

/**
 * The message as one or more messages of at most `maxMessageSize` bytes each.
 * @param {Header} header
 * @param {Uint8Array} payload
 * @param {{ messageId: number, maxMessageSize: number }} options
 * @returns {Uint8Array<ArrayBuffer>[]}
 */
export function split(header, payload, { messageId, maxMessageSize }) {
  if (HEADER_SIZE + payload.length <= maxMessageSize) return [pack(header, payload)];
  const room = maxMessageSize - HEADER_SIZE;
  if (room <= 0) throw new RangeError(`messages of ${maxMessageSize} bytes leave no room beside the header`);
  const count = Math.ceil(payload.length / room);
  const whole = { ...header, image_size: payload.length, message_id: messageId, chunk_count: count };
  return Array.from({ length: count }, (_, index) =>
    pack({ ...whole, chunk_index: index }, payload.subarray(index * room, (index + 1) * room)),
  );
}

/**
 * Joins chunks back into messages, in any order, within bounded memory: a lost chunk costs its own message only.
 */
export class Reassembler {
  /** Incomplete messages given up so far. */
  dropped = 0;

  /** @type {Map<number, { header: Header, parts: Map<number, Uint8Array> }>} */
  #partials = new Map();

  /**
   * The whole message, without the chunk fields, once its last part is in; null before.
   * @param {BinaryMessage} chunk
   * @returns {BinaryMessage | null}
   */
  add({ header, payload }) {
    const [messageId, index, count] = CHUNK_FIELDS.map((name) => natural(header, name));
    if (count < 1 || count > MAX_CHUNKS || index >= count) {
      throw bad(`chunk ${index} of ${count}; 1 to ${MAX_CHUNKS} chunks are taken, counted from 0`);
    }
    const partial = this.#partials.get(messageId) ?? this.#start(messageId, header);
    if (["chunk_count", "image_size", "type"].some((name) => partial.header[name] !== header[name])) {
      this.#drop(messageId);
      throw bad(`chunk ${index} of message ${messageId} contradicts the chunks before it`);
    }
    partial.parts.set(index, payload);
    const size = [...partial.parts.values()].reduce((sum, part) => sum + part.length, 0);
    if (size > header.image_size) {
      this.#drop(messageId);
      throw bad(`image_size says ${header.image_size} bytes, at least ${size} came`);
    }
    if (partial.parts.size < count) return null;
    this.#partials.delete(messageId);
    if (size !== header.image_size) throw bad(`image_size says ${header.image_size} bytes, ${size} came`);
    return join(partial, size);
  }

  /** @param {number} messageId @param {Header} header */
  #start(messageId, header) {
    for (const oldest of this.#partials.keys()) {
      if (this.#partials.size < MAX_PARTIAL_MESSAGES) break;
      this.#drop(oldest);
    }
    const partial = { header, parts: new Map() };
    this.#partials.set(messageId, partial);
    return partial;
  }

  /** @param {number} messageId */
  #drop(messageId) {
    this.#partials.delete(messageId);
    this.dropped += 1;
  }
}

/**
 * @param {{ header: Header, parts: Map<number, Uint8Array> }} partial
 * @param {number} size
 * @returns {BinaryMessage}
 */
function join({ header, parts }, size) {
  const payload = new Uint8Array(size);
  let at = 0;
  for (let index = 0; index < parts.size; index++) {
    const part = /** @type {Uint8Array} */ (parts.get(index));
    payload.set(part, at);
    at += part.length;
  }
  const whole = Object.fromEntries(Object.entries(header).filter(([name]) => !CHUNK_FIELDS.includes(name)));
  return { header: whole, payload };
}

/** @param {Uint8Array} raw @returns {Header} */
function parseHeader(raw) {
  let end = raw.length;
  while (end > 0 && raw[end - 1] === 0) end -= 1;
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw.subarray(0, end)));
  } catch (error) {
    throw bad(`header is not UTF-8 JSON: ${error}`);
  }
  if (header === null || typeof header !== "object" || Array.isArray(header)) {
    throw bad("header is JSON, but not an object");
  }
  return header;
}

/** @param {Header} header @param {string} name @returns {number} */
function natural(header, name) {
  const value = header[name];
  if (!Number.isInteger(value) || value < 0) {
    throw bad(`header field \`${name}\` must be a whole number of at least 0, not ${value}`);
  }
  return value;
}

/** @param {string} message */
function bad(message) {
  return new FramingError("bad_header", message);
}
