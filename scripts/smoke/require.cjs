// A CommonJS program can require() the package first, and a later import() gives it nothing new.
const assert = require("node:assert/strict");
const { Consumer } = require("@redis-batch/consumer");

assert.equal(typeof Consumer, "function");
void import("@redis-batch/consumer").then((imported) => assert.equal(imported.Consumer, Consumer));
