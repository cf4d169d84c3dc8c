/** What is changed in options after they were given changes nothing. */
import { sealable, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, test, vi } from "vitest";
import { DeadLetters } from "../src/dead-letters/dead-letters.ts";
import { Producer } from "../src/producer/producer.ts";

const redis = useServer();

describe("options are copied", () => {
  test("by a producer, those of its calls too", async () => {
    const stream = uniqueName("stream");
    const made = sealable({ redis: { ...redis.server.options }, stream });
    await using producer = new Producer(made.options);
    made.seal();
    await producer.add({ n: 1 });
    const call = sealable({ stopOnError: true, idempotencyKey: (_value: object, index: number) => `k${index}` });
    const adding = producer.addMany([{ n: 1 }, { n: 2 }], call.options);
    const results = producer.addEach([{ n: 3 }], call.options);
    call.seal();
    expect(await adding).toMatchObject({ added: 2, failed: 0 });
    for await (const result of results) expect(result).toMatchObject({ kind: "added", duplicate: true });
  });

  test("by dead letters, and the ids of a call as well", async () => {
    const made = sealable({ redis: { ...redis.server.options }, stream: uniqueName("stream"), group: "g" });
    await using letters = new DeadLetters(made.options);
    made.seal();
    const call = sealable({ ids: ["1-1", "2-1"] });
    const redriving = letters.redrive(call.options);
    const discarding = letters.discard(call.options);
    call.seal();
    expect(await redriving).toMatchObject({ missing: 2 });
    expect(await discarding).toBe(0);
  });
});

describe("a callback that is only told something stops nothing, and ends no process", () => {
  test.each([
    [
      "throws",
      () => {
        throw new Error("broken bar");
      },
    ],
    ["rejects", (): unknown => Promise.reject(new Error("broken bar"))],
  ])("when it %s", async (_how, onProgress: () => void) => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const stream = uniqueName("stream");
    await using producer = new Producer({ redis: redis.server.options, stream });
    expect(await producer.addMany([{ n: 1 }], { onProgress })).toMatchObject({ added: 1 });
    await using letters = new DeadLetters({ redis: redis.server.options, stream, group: "g" });
    const picked = { ids: ["1-1"], onProgress };
    expect(await letters.redrive(picked)).toMatchObject({ missing: 1 });
    expect(await letters.discard(picked)).toBe(0);
    expect(warn.mock.calls.map(([text]) => String(text))).toEqual([
      "onProgress of the producer threw: Error: broken bar",
      "onProgress of the dead letters threw: Error: broken bar",
    ]);
    warn.mockRestore();
  });
});
