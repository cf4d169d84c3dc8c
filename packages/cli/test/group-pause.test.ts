import { hostname } from "node:os";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, expectNoControls, expectSameContent, useCli } from "./cli.ts";

const redis = useServer();
const cli = useCli(redis);

describe("group pause and resume", () => {
  it("show hostile words and names as text, wherever they are shown, and refuse too many of them", async () => {
    const stream = `evil\u001b]0;title\u0007\u202e${uniqueName("<b>n</b>")}\n"x"`;
    const words = `<img src=x> \u001b[31m\u0007\r\n\u202egnirts`;
    await redis.server.command("XADD", stream, "*", "n", 1);
    await redis.server.command("XGROUP", "CREATE", stream, words, "0");
    const by = ["--by", words, "--reason", words];
    const shown = [
      await cli.run(["group", "pause", stream, words, ...by]),
      await cli.run(["group", "pause", stream, words, ...by, "--json"]),
      ...(await Promise.all(
        [
          ["monitor", stream, words],
          ["monitor", stream],
          ["status"],
          ["doctor", stream, words],
          ["check", stream, words],
        ].map((args) => cli.run(args)),
      )),
      await cli.run(["group", "rate", stream, words, "--messages", "5"]),
      await cli.run(["group", "resume", stream, words]),
    ];
    for (const { stdout, stderr } of shown) expectNoControls(stdout + stderr);
    expect(
      shown
        .map(({ stdout, stderr }) => stdout + stderr)
        .join("")
        .match(/gnirts/g)?.length,
    ).toBeGreaterThan(8);
    expectEnd(await cli.run(["group", "pause", stream, words, "--reason", "x".repeat(1_001)]), 2, "--reason");
    expect((await cli.json(["group", "resume", stream, words]))["pausedBy"]).toBeNull();
    await redis.server.command("DEL", stream);
  });

  it("end with the group: one of that name that is made later is not paused", async () => {
    const stream = uniqueName("gone");
    await redis.server.command("XADD", stream, "*", "n", 1);
    const create = () => redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    await create();
    expectEnd(await cli.run(["group", "pause", stream, "g"]), 0);
    expectEnd(await cli.run(["group", "delete", stream, "g", "--lose-pending", "--yes"]), 0);
    expectEnd(await cli.run(["group", "resume", stream, "g"]), 5);
    expectEnd(await cli.run(["group", "pause", stream, "g"]), 5);
    await create();
    expect(await cli.json(["monitor", stream, "g"])).toMatchObject({ health: "STOPPED", pausedBy: null });
  });

  it("stop a real consumer and let it go on, and everything says who did it", async () => {
    const stream = uniqueName("pause");
    const add = (n: number) => redis.server.command("XADD", stream, "*", "n", n);
    await add(1);
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    await using consumer = await cli.start(["consume", stream, "g", "--lease", "1s", "--max-wait", "10ms"]);
    await consumer.waitForLine(/"n":"1"/, { timeoutMs: 20_000 });
    await redis.server.command("XGROUP", "CREATECONSUMER", stream, "g", "foreign");
    const paused = await cli.run(["group", "pause", stream, "g", "--for", "10m", "--reason", "the database moves"]);
    expectEnd(paused, 0, `@${hostname()}`, "the database moves", "foreign", "stop these by hand");
    await eventually("it rests", async () => {
      const { consumers } = await cli.json(["consumers", stream, "g"]);
      return (consumers as { intake: string | null }[]).some(({ intake }) => intake === "group-paused");
    });
    await add(2);
    const monitor = ["monitor", stream, "g"];
    const [table, json, check, doctor, scale] = await Promise.all([
      cli.run(monitor),
      cli.json(monitor),
      cli.run(["check", stream, "g"]),
      cli.run(["doctor", stream, "g"]),
      cli.json(["scale", stream, "g"]),
    ]);
    // How long ago it was goes on between the two.
    const steady = (text: string) => text.replaceAll(/\d+ (ms|s) ago/g, "a while ago");
    const steadyRows = (json["consumers"] as readonly Record<string, unknown>[]).map((row) => ({
      ...row,
      reason: steady(String(row["reason"])),
    }));
    expectSameContent(steady(table.stdout), { ...json, reason: steady(String(json["reason"])), consumers: steadyRows });
    expect(json).toMatchObject({
      health: "PAUSED",
      pauseReason: "the database moves",
      pauseNotObeyedBy: 1,
      waiting: 1,
    });
    expectEnd(check, 1, "PAUSED", "the database moves");
    expectEnd(doctor, 0, "paused by", `redis-batch group resume ${stream} g`);
    for (const decision of scale["decisions"] as readonly unknown[]) {
      expect(decision).toMatchObject({ binding: "paused", direction: "NO_SCALE" });
    }
    expect(consumer.lines.join("\n")).not.toContain('"n":"2"');
    const again = await cli.json(["group", "pause", stream, "g", "--by", "anna"]);
    expect(again).toMatchObject({ pausedBy: "anna", pausedUntil: null, goOn: [{ consumer: "foreign" }] });
    expect(again["notes"]).toEqual([expect.stringMatching(/^It replaces another pause: .*\(the database moves\)\.$/)]);
    expect(await cli.json(["group", "resume", stream, "g"])).toMatchObject({ pausedBy: "anna" });
    await consumer.waitForLine(/"n":"2"/, { timeoutMs: 20_000 });
    expectEnd(await cli.run(["group", "resume", stream, "g"]), 0, "There is nothing to do.");
  });
});
