/** The hand-written declarations against those that tsc derives from the source, in `source` (types.test.js). */

import type * as Declared from "../../../web/try-on.js";
import type { NailTryOn as DeclaredElement } from "../../../web/nail-try-on-element.js";
import type * as Source from "source/try-on-source.js";
import type { NailTryOn as SourceElement } from "source/nail-try-on-element.js";

/** Typed listeners are the declarations' own. */
type Plain<T> = Omit<T, "addEventListener">;
type Same<A, B> = [Exclude<keyof A, keyof B>, Exclude<keyof B, keyof A>] extends [never, never] ? true : never;
type Fits<A extends B, B> = A;

export type Checks = [
  Fits<Plain<Source.TryOn>, Plain<Declared.TryOn>>,
  Fits<Plain<SourceElement>, Plain<DeclaredElement>>,
  Fits<ConstructorParameters<typeof Declared.TryOn>, ConstructorParameters<typeof Source.TryOn>>,
];
export const all: [Same<Source.TryOn, Declared.TryOn>, Same<SourceElement, DeclaredElement>] = [true, true];
