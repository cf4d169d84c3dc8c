// A decision about a group of the server whose URL is the only argument, by who has no consumer installed.
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

// What only some need is not installed, and who needs it is told what to install.
await assert.rejects(startKedaScaler({ port: 0 }), /npm install @grpc\/grpc-js/);
await assert.rejects(kubeconfig({}), /@kubernetes\/client-node/);
await redis.del(stream);
await redis.quit();
