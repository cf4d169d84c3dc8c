import { describeStreamClient, type Setting, type SideDoor } from "@redis-batch/core/conformance";
import { ManualClock } from "@redis-batch/test-support";
import type { MemoryKeyspace } from "./memory-keyspace.ts";
import { createMemoryServer } from "./memory-server.ts";

describeStreamClient("memory", async (): Promise<Setting> => {
  const clock = new ManualClock();
  const redis = createMemoryServer({ clock });
  const client = redis.client();
  await client.connect(["commands", "reader"], { timeoutMs: 1_000 });
  return {
    client,
    stream: "stream",
    sideDoor: memorySideDoor(redis.keys),
    elapse: (ms) => clock.advance(ms),
    untilReaderWaits: async () => {
      await clock.settle();
      if (redis.keys.readersWaiting === 0) throw new Error("no reader waits");
    },
    anotherClient: () => redis.client(),
  };
});

function memorySideDoor(keys: MemoryKeyspace): SideDoor {
  return {
    async addAt(stream, id, fields) {
      keys.streamOrNew(stream).append(
        id,
        fields.map((field) => Buffer.from(field)),
      );
    },
    async putText(key) {
      keys.setText(key, "text");
    },
    async deleteKey(key) {
      keys.delete(key);
    },
    async destroyGroup(stream, group) {
      keys.destroyGroup(stream, group);
    },
    async hashField(key, field) {
      return keys.hash(key).get(field) ?? null;
    },
    async putHashField(key, field, value) {
      keys.setHashField(key, field, value);
    },
    async setIdle(group, consumer, id, idleMs) {
      const claim = { consumer, ids: [id], minIdleMs: 0, idleMs, deliveries: (before: number) => before };
      keys.group(group).claim(claim, keys.nowMs());
    },
    async setDeliveries(group, consumer, id, deliveries) {
      const claim = { consumer, ids: [id], minIdleMs: 0, deliveries: () => Number(deliveries) };
      keys.group(group).claim(claim, keys.nowMs());
    },
  };
}
