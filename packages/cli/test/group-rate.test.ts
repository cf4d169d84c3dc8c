import { Producer } from "@redis-batch/core";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, expectSameContent, useCli } from "./cli.ts";

const redis = useServer();
const cli = useCli(redis);

describe("group rate", () => {
  it("shows, sets and removes the rate, in table and JSON alike, and a real consumer obeys it", async () => {
    const stream = uniqueName("rate");
    await using producer = new Producer({ redis: redis.server.options, stream });
    await producer.addMany(Array.from({ length: 200 }, (_, n) => ({ n })));
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    const rate = ["group", "rate", stream, "g"];
    expect(await cli.json(rate)).toMatchObject({ stream, group: "g", rate: null, before: null });
    expect(await cli.json([...rate, "--messages", "2", "--per", "1s"])).toMatchObject({
      ...{ rate: "2 messages per 1000 ms", before: null },
      notes: ["The consumers learn it within a heartbeat."],
    });
    const [table, json] = await Promise.all([cli.run(rate), cli.json(rate)]);
    expectEnd(table, 0);
    expectSameContent(table.stdout, json);
    expect(json).toMatchObject({ rate: "2 messages per 1000 ms", before: "2 messages per 1000 ms" });
    await using consumer = await cli.start([
      ...["consume", stream, "g", "--lease", "1s", "--batch-size", "1", "--max-wait", "10ms"],
    ]);
    await consumer.waitForLine(/"n":"0"/, { timeoutMs: 20_000 });
    await eventually("it waits for the rate", async () => {
      const { consumers } = await cli.json(["consumers", stream, "g"]);
      return (consumers as { intake: string | null }[]).some(({ intake }) => intake === "rate-limited");
    });
    expect(consumer.lines.length).toBeLessThan(150);
    expect(await cli.json(["monitor", stream, "g"])).toMatchObject({ rateLimit: "2 messages per 1000 ms" });
    const off = await cli.run([...rate, "--off"]);
    expectEnd(off, 0, "The consumers learn it within a heartbeat.");
    await consumer.waitForLine(/"n":"199"/, { timeoutMs: 20_000 });
    expect(await cli.json(rate)).toMatchObject({ rate: null, before: null });
  });

  it("refuses what is no rate, and a group that is not there", async () => {
    expect.hasAssertions();
    const stream = uniqueName("norate");
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM");
    const rate = ["group", "rate", stream];
    expectEnd(await cli.run([...rate, "g", "--messages", "5", "--off"]), 2, "--messages and --off exclude each other");
    expectEnd(await cli.run([...rate, "g", "--messages", "0"]), 2, "--messages");
    expectEnd(await cli.run([...rate, "g", "--messages", "5", "--per", "2d"]), 2, "--per");
    expectEnd(await cli.run([...rate, "other", "--messages", "5"]), 5, 'no group "other"');
    expectEnd(await cli.run([...rate.slice(0, 2), `${stream}-no`, "g"]), 5);
    expect(await redis.server.command("KEYS", `rb:{${stream}*`)).toEqual([]);
  });
});
