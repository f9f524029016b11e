/** Types of the element `<nail-try-on>`. */

import type { Change, Design, Photo, SavedResult, StartOptions, State, Stats, Token, TryOn, TryOnEvents } from "./try-on.js";

export class NailTryOn extends HTMLElement {
  static observedAttributes: string[];
  /** The Lacquer server. Null: where the module came from. */
  url: string | null;
  token: Token;
  /** The id of the design that is worn; null for the nails of the person's own photo. */
  get design(): number | null;
  set design(value: number | null);
  /** The ids of the designs to choose from, in this order; empty for all. */
  designs: number[];
  controls: boolean;
  source: "camera" | "demo";
  readonly state: State;
  readonly sessionId: string | null;
  readonly tryOn: TryOn;
  start(options?: StartOptions): Promise<void>;
  wear(change: Change): void;
  pause(): void;
  resume(): void;
  stop(): void;
  capture(): Promise<Photo>;
  useManicure(photo: Blob): Promise<Design>;
  save(photo: Photo | Blob, metadata?: Record<string, unknown>): Promise<SavedResult>;
  stats(): Stats;
  connectedCallback(): void;
  disconnectedCallback(): void;
  attributeChangedCallback(attribute: string, before: string | null, value: string | null): void;
  addEventListener<N extends keyof TryOnEvents>(
    name: N,
    listener: (event: CustomEvent<TryOnEvents[N]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener<N extends keyof HTMLElementEventMap>(
    name: N,
    listener: (this: HTMLElement, event: HTMLElementEventMap[N]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    name: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "nail-try-on": NailTryOn;
  }
}
