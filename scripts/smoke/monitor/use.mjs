// Inspects a group, without a consumer installed. The only argument is the URL of a server.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Monitor, renderTable, toPrometheus } from "@redis-batch/monitor";
import { Redis } from "ioredis";

const stream = `smoke-${randomUUID()}`;
const redis = new Redis(process.argv[2] ?? "");
await redis.xgroup("CREATE", stream, "smoke", "0", "MKSTREAM");
for (let n = 1; n <= 10; n++) await redis.xadd(stream, "*", "n", String(n));
await redis.xreadgroup("GROUP", "smoke", "gone", "COUNT", 4, "STREAMS", stream, ">");

const monitor = new Monitor({ redis: process.argv[2] ?? "", stream, group: "smoke" });
const report = await monitor.inspect();
const [group] = report.groups;
assert.equal(group?.backlog.messages, 6);
assert.deepEqual(
  group.consumers.map(({ consumer, pending }) => ({ consumer, pending })),
  [{ consumer: "gone", pending: 4 }],
);
assert.match(renderTable(report), /gone/);
assert.match(toPrometheus(report), /^redis_batch_/m);
assert.equal((await monitor.trim({ dryRun: true })).pinnedBy, "smoke");
await monitor.close();
await redis.del(stream);
await redis.quit();
