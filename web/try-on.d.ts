/** Types of try-on.js, for pages that embed the try-on. They stand alone: nothing else is needed to use them. */

export type State = "idle" | "starting" | "connecting" | "live" | "paused" | "reconnecting" | "ended" | "failed";
export type Level = "excellent" | "good" | "poor" | "lost";
/** What keeps the picture from being better. */
export type Factor = "camera" | "device" | "network" | "server";
export type Finger = "thumb" | "index" | "middle" | "ring" | "pinky";
export type Source = "camera" | "demo" | MediaStream;
export type Transport = "auto" | "webrtc" | "websocket";
/** A JWT of the host application (its `sub` owns the sessions), or what is asked for one before each request. */
export type Token = string | (() => string | Promise<string>) | null;

export interface Options {
  /** The Lacquer server. Default: where this module came from. */
  url?: string | URL;
  token?: Token;
  /** `auto`: WebRTC, then single pictures over a WebSocket where a network blocks it. */
  transport?: Transport;
}

export interface StartOptions {
  /** Default: `camera`. Tracks of a MediaStream are cloned; the page's own run on. */
  source?: Source;
  /** Default: what is worn. */
  design?: number | null;
  /** Whether to show the picture as a mirror does. Default: for cameras that do not look away from the person. */
  mirror?: boolean;
}

/** Null is as the design says; what is not named stays. */
export interface Style {
  finish?: string | null;
  shape?: string | null;
  length?: string | null;
  /** #RRGGBB, base first. */
  colours?: string[] | null;
  /** Short for `colours` with one. */
  colour?: string | null;
}

export interface Change extends Style {
  /** Another design brings its own finish and colours. Null: the nails of the person's own photo. */
  design?: number | null;
  /** Null: this finger as the others. `nail` numbers one of the person's own photo. */
  fingers?: Partial<Record<Finger, (Style & { nail?: number | null }) | null>>;
}

export interface Design {
  id: number | null;
  name: string;
  family: string;
  pattern: string | null;
  finish: string | null;
  colours: string[];
  shape?: string | null;
  length?: string | null;
  thumbnail_url: string;
}

export interface Photo {
  blob: Blob;
  width: number;
  height: number;
  /** How many nails are painted on it. */
  nails: number;
}

export interface SavedResult {
  result_id: string;
  image_url: string;
  width: number;
  height: number;
  /** ISO 8601 */
  created_at: string;
  metadata: Record<string, unknown>;
}

export interface Nail {
  number: number;
  finger: string | null;
  hand: "left" | "right" | null;
  /** Pixels of the frame. */
  polygon: [number, number][];
  cuticle: [number, number];
  free_edge: [number, number];
  confidence: number;
  visibility: number;
}

export interface Metadata {
  frame_number: number;
  width: number;
  height: number;
  hands: number;
  nails: Nail[];
  confidence: number;
  design: number | null;
}

export interface Stats {
  state: State;
  transport: "webrtc" | "websocket" | null;
  quality: Level | null;
  factor: Factor | null;
  rttMs: number | null;
  fps: number | null;
  /** 0–1 */
  loss: number | null;
  server: Record<string, unknown> | null;
  detail: Record<string, unknown>;
}

export class TryOnError extends Error {
  constructor(code: string, message?: string, options?: { status?: number; retryAfter?: number; cause?: unknown });
  /** Stable; web/README.md and signaling/README.md list them. */
  code: string;
  status: number | undefined;
  /** Seconds. */
  retryAfter: number | undefined;
}

export interface StateDetail {
  state: State;
  from: State;
  error: TryOnError | null;
}

export interface ProblemDetail {
  code: string;
  /** For developers. */
  message: string;
  /** For people, as is `text`. */
  title: string;
  text: string;
  /** Whether the try-on is over with it. */
  fatal: boolean;
  error: TryOnError;
}

/** What the `detail` of each event is. */
export interface TryOnEvents {
  state: StateDetail;
  quality: { level: Level | null; factor: Factor | null };
  metadata: Metadata;
  retry: { delayMs: number; attempt: number; error: TryOnError };
  problem: ProblemDetail;
  design: { design: number | null };
  capture: Photo;
}

export class TryOn extends EventTarget {
  constructor(options?: Options);
  readonly state: State;
  readonly error: TryOnError | null;
  readonly sessionId: string | null;
  readonly design: number | null;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Shows the picture, as large as what it lies in. */
  readonly element: HTMLElement;
  attach(container: Element | DocumentFragment): HTMLElement;
  designs(): Promise<Design[]>;
  /** Resolves when the first processed picture is shown; rejects with a TryOnError, or an AbortError where stopped. */
  start(options?: StartOptions): Promise<void>;
  wear(change: Change): void;
  pause(): void;
  resume(): void;
  /** Does not wait for the next attempt to reconnect. */
  retry(): void;
  capture(): Promise<Photo>;
  switchCamera(): Promise<void>;
  useManicure(photo: Blob): Promise<Design>;
  save(photo: Photo | Blob, metadata?: Record<string, unknown>): Promise<SavedResult>;
  stats(): Stats;
  /** Ends the session; `start()` begins a new one. */
  stop(): void;
  /** Ends everything for good. */
  close(): void;
  addEventListener<N extends keyof TryOnEvents>(
    name: N,
    listener: (event: CustomEvent<TryOnEvents[N]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    name: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}
