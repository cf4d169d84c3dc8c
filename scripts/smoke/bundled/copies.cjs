// One copy of every class in a program that imports and requires, bundled or not.
const assert = require("node:assert/strict");
const { ConfigError, Consumer } = require("@redis-batch/consumer");
const core = require("@redis-batch/core");

void compare();

async function compare() {
  const imported = await import("@redis-batch/consumer");
  assert.equal(imported.Consumer, Consumer);
  assert.equal(imported.ConfigError, ConfigError);
  assert.equal(core.ConfigError, ConfigError);
}
