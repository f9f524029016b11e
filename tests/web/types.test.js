/** The types that embedding pages get, by tsc: they agree with the source, and a shop's page compiles with them. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const TSC = join(HERE, "node_modules", "typescript", "bin", "tsc");
const skip = existsSync(TSC) ? false : "TypeScript is missing; `cd tests/web && npm ci` installs it";

/** @param {string[]} options */
function tsc(...options) {
  try {
    execFileSync(process.execPath, [TSC, ...options], { encoding: "utf8" });
  } catch (error) {
    assert.fail(/** @type {any} */ (error).stdout);
  }
}

test("the declarations agree with the source, and a page in TypeScript compiles with them", { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "lacquer-types-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const derived = join(folder, "source");
  const emit = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", derived];
  tsc("-p", HERE, ...emit, "--rootDir", join(HERE, "../../web"));
  // What the element is derived with are the declarations: it imports them, as pages do.
  renameSync(join(derived, "try-on.d.ts"), join(derived, "try-on-source.d.ts"));
  copyFileSync(join(HERE, "../../web/try-on.d.ts"), join(derived, "try-on.d.ts"));
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: "es2022",
    module: "es2022",
    moduleResolution: "bundler",
    lib: ["es2022", "dom", "dom.iterable"],
    types: [],
    paths: { "source/*": [`${derived}/*`] },
  };
  const files = ["shop.ts", "agree.ts"].map((name) => join(HERE, "types", name));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  tsc("-p", folder);
});
