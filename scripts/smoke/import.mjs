// import and require() of the package give the same classes, so that instanceof and Symbol brands never disagree.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { ConfigError, Consumer, Producer } from "@redis-batch/consumer";

const required = /** @type {typeof import("@redis-batch/consumer")} */ (
  createRequire(import.meta.url)("@redis-batch/consumer")
);

assert.equal(required.Consumer, Consumer);
assert.equal(required.Producer, Producer);
assert.equal(required.ConfigError, ConfigError);
