// A handler and a consumer without the server whose URL is the only argument, on any runtime and by no test runner.
import assert from "node:assert/strict";
import { Consumer } from "@redis-batch/consumer";
import { EventRecorder, ManualClock, makeBatch, memoryRedis, runHandler } from "@redis-batch/testing";

const batch = makeBatch([{ n: "1" }, { n: "2" }]);
const outcomes = await runHandler(({ messages }) => ({ ack: messages.slice(0, 1) }), batch);
assert.deepEqual(outcomes, [{ kind: "acknowledged" }, { kind: "none" }]);

const clock = new ManualClock();
const redis = memoryRedis({ clock });
redis.add("orders", { n: 1 });
const events = new EventRecorder();
const consumer = new Consumer({ redis, stream: "orders", group: "smoke", observer: events.observe });
const running = consumer.run(() => ({ ack: "rest" }));
await clock.advanceUntil(events.waitFor("acknowledged"));
assert.deepEqual(redis.pending("orders", "smoke"), []);
await clock.advanceUntil(consumer.close());
await running;
