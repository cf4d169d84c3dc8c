// import and require() of each package that is named give the same things, so that instanceof and Symbol brands never
// disagree.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

for (const name of process.argv.slice(2)) {
  const imported = /** @type {Readonly<Record<string, unknown>>} */ (await import(name));
  const required = /** @type {Readonly<Record<string, unknown>>} */ (require(name));
  assert.notEqual(Object.keys(imported).length, 0);
  assert.deepEqual(Object.keys(required).toSorted(), Object.keys(imported).toSorted());
  for (const key of Object.keys(imported)) assert.equal(required[key], imported[key]);
}
