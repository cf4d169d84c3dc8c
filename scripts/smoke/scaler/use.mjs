// Decides about a group, without a consumer installed. The only argument is the URL of a server.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Scaler } from "@redis-batch/scaler";
import { startKedaScaler } from "@redis-batch/scaler/keda";
import { kubeconfig } from "@redis-batch/scaler/kubernetes";
import { Redis } from "ioredis";

const stream = `smoke-${randomUUID()}`;
const redis = new Redis(process.argv[2] ?? "");
await redis.xgroup("CREATE", stream, "smoke", "0", "MKSTREAM");
for (let n = 1; n <= 10; n++) await redis.xadd(stream, "*", "n", String(n));

const scaler = new Scaler({ redis: process.argv[2] ?? "", stream, group: "smoke", minConsumers: 2 });
const { direction, current, desired } = await scaler.decide();
assert.deepEqual({ direction, current, desired }, { direction: "OUT", current: 0, desired: 2 });
await scaler.close();

// Optional dependencies are not installed; the error says what to install.
await assert.rejects(startKedaScaler({ port: 0 }), /npm install @grpc\/grpc-js/);
await assert.rejects(kubeconfig({}), /@kubernetes\/client-node/);
await redis.del(stream);
await redis.quit();
