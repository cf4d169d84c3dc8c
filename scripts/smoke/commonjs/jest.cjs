// Jest as it is without any configuration, which is CommonJS: every package loads, has the same classes as the others, and
// does its work on the server of SMOKE_URL. The packages are the names in SMOKE_PACKAGES.
const assert = require("node:assert/strict");
const { randomUUID } = require("node:crypto");
const core = require("@redis-batch/core");
const { ConfigError, ConnectionError, Consumer, Producer } = require("@redis-batch/consumer");
const { Monitor } = require("@redis-batch/monitor");
const { Scaler } = require("@redis-batch/scaler");
const { startKedaScaler } = require("@redis-batch/scaler/keda");

const redis = process.env.SMOKE_URL;

test.each(process.env.SMOKE_PACKAGES.split(" "))("%s loads", (name) => {
  assert.notEqual(Object.keys(require(name)).length, 0);
});

test("there is one copy of every class", () => {
  assert.equal(ConfigError, core.ConfigError);
  for (const Service of [Consumer, Producer, Monitor, Scaler]) assert.throws(() => new Service({}), core.ConfigError);
});

test("a message goes its way", async () => {
  const place = { redis, stream: `smoke-${randomUUID()}`, group: "smoke" };
  const producer = new Producer({ redis, stream: place.stream });
  await producer.add({ n: "1" });
  await producer.close();

  const scaler = new Scaler({ ...place, minConsumers: 2 });
  const consumer = new Consumer({ ...place, batchSize: 1 });
  const batch = await consumer.fetch();
  assert.deepEqual(
    [...batch].map(({ fields }) => fields.n),
    ["1"],
  );
  assert.equal((await scaler.decide()).direction, "OUT");
  batch.ack();
  assert.equal((await batch.settled()).acknowledged.length, 1);
  const monitor = new Monitor(place);
  assert.equal((await monitor.inspect()).groups[0].backlog.messages, 0);
  await Promise.all([scaler.close(), consumer.close(), monitor.close()]);
}, 60_000);

test("what fails is told as elsewhere", async () => {
  const nowhere = { redis: "redis://127.0.0.1:1", stream: "orders", group: "smoke" };
  const consumer = new Consumer({ ...nowhere, connectTimeoutMs: 500, observer: () => {} });
  await assert.rejects(consumer.fetch(), (error) => {
    assert(error instanceof ConnectionError);
    assert.match(error.message, /last error: connect ECONNREFUSED/);
    return true;
  });
  await consumer.close();
  await assert.rejects(startKedaScaler({ port: 0 }), /npm install @grpc\/grpc-js/);
}, 60_000);
