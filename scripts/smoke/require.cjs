// A CommonJS program can require() each package that is named first, and a later import() gives it nothing new.
const assert = require("node:assert/strict");

for (const name of process.argv.slice(2)) {
  const required = /** @type {Readonly<Record<string, unknown>>} */ (require(name));
  const keys = Object.keys(required);
  assert.notEqual(keys.length, 0);
  void import(name).then((/** @type {Readonly<Record<string, unknown>>} */ imported) =>
    assert.deepEqual(
      keys.filter((key) => imported[key] !== required[key]),
      [],
    ),
  );
}
