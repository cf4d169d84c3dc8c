// Adds a message, without a consumer installed. The only argument is the URL of a server.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { ConfigError, DeadLetters, isEntryId, Producer } from "@redis-batch/core";
import { parseRedisUrl } from "@redis-batch/core/internal/connection";
import { groupKey } from "@redis-batch/core/internal/names";

const target = { redis: process.argv[2] ?? "", stream: `smoke-${randomUUID()}` };

const producer = new Producer(target);
assert(isEntryId(await producer.add({ n: "1" })));
await producer.close();

const deadLetters = new DeadLetters({ ...target, group: "smoke" });
assert.deepEqual((await deadLetters.list()).letters, []);
await deadLetters.close();

// Whichever door it came through, there is one copy of each class.
assert.throws(() => groupKey("consumers", "", "smoke"), ConfigError);
assert.throws(() => parseRedisUrl("http://127.0.0.1"), ConfigError);
