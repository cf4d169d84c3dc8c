import { eventually, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, expectSameContent, useCli } from "./cli.ts";

const redis = useServer({ own: true });
const cli = useCli(redis);

describe("bench", () => {
  it("measures both ways, and leaves nothing behind", async () => {
    const json = await cli.json(["bench", "-n", "2000", "--size", "50", "--batch-size", "200"]);
    expect(json).toMatchObject({ payloadBytes: 50, batchSize: 200, complete: true });
    expect(json["phases"]).toMatchObject([
      { phase: "produce", messages: 2_000 },
      { phase: "consume and acknowledge", messages: 2_000 },
    ]);
    expect(await redis.server.command("KEYS", "*")).toEqual([]);
    const table = await cli.run(["bench", "-n", "2000", "--size", "50", "--batch-size", "200"]);
    expectEnd(table, 0);
    expectSameContent(table.stdout, json);
  });

  it("keeps to its time, says that it Ended early, and cleans up after Ctrl-C as well", async () => {
    const json = await cli.json(["bench", "-n", "1000000", "--size", "200", "--time", "300ms"]);
    expect(json).toMatchObject({ complete: false, notes: [expect.stringContaining("Ended early") as string] });
    expect(await redis.server.command("KEYS", "*")).toEqual([]);
    await using process = await cli.start(["bench", "-n", "1000000", "--size", "200"]);
    await eventually("it is at work", async () => Number(await redis.server.command("DBSIZE")) > 0);
    process.kill("SIGINT");
    expect((await process.exited).code).toBe(130);
    expect(await redis.server.command("KEYS", "*")).toEqual([]);
  });
});
