import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, ndjson, useCli } from "./cli.ts";

const redis = useServer();
const cli = useCli(redis);

/** A group in which messages wait and nobody works. */
async function waiting(purpose: string): Promise<string> {
  const stream = uniqueName(purpose);
  for (let n = 0; n < 5; n++) await redis.server.command("XADD", stream, "*", "n", n);
  await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
  return stream;
}

describe("scale run", () => {
  it("starts consumers where messages wait, and drains them on Ctrl-C", async () => {
    const stream = await waiting("pool");
    const worker = [process.execPath, cli.bin, "consume", stream, "g", "--max-wait", "10ms"];
    await using scaling = await cli.start([
      ...["scale", "run", stream, "g", "--executor", "process", "--interval", "100ms", "--max", "2", "--", ...worker],
    ]);
    await scaling.waitForLine(/^throughput: OUT, 0 -> 1/);
    await eventually("what waited is done", async () => {
      const [pending] = (await redis.server.command("XPENDING", stream, "g")) as number[];
      const [info] = (await redis.server.command("XINFO", "GROUPS", stream)) as unknown[][];
      return pending === 0 && info?.[7] !== "0-0";
    });
    scaling.kill("SIGINT");
    expect((await scaling.exited).code).toBe(0);
    expect(scaling.stderr).toMatch(/worker \d+ was started[^]*worker \d+ was told to end[^]*worker \d+ has ended/);
    expect(await redis.server.command("XINFO", "CONSUMERS", stream, "g")).toEqual([]);
  });

  it("gives orders to a command, and to a webhook", async () => {
    const stream = await waiting("orders");
    const file = join(cli.folder, "order.json");
    const save = `require("node:fs").writeFileSync(${JSON.stringify(file)}, process.env.REDIS_BATCH_DESIRED)`;
    await using commanding = await cli.start([
      ...[
        "scale",
        "run",
        stream,
        "g",
        "--executor",
        "command",
        "--interval",
        "100ms",
        "--",
        process.execPath,
        "-e",
        save,
      ],
    ]);
    await eventually("it was ordered", async () => commanding.stderr.includes("ordered: 0 -> 1"));
    expect(readFileSync(file, "utf8")).toBe("1");
    commanding.kill("SIGINT");
    await commanding.exited;

    const other = await waiting("hook");
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      request.setEncoding("utf8").on("data", (text: string) => bodies.push(text));
      request.on("end", () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/scale`;
      await using hooking = await cli.start([
        ...["scale", "run", other, "g", "--executor", "webhook", "--webhook-url", url, "--interval", "100ms", "--json"],
      ]);
      await eventually("the order came", async () => bodies.length > 0);
      hooking.kill("SIGINT");
      await hooking.exited;
      expect(JSON.parse(bodies[0] ?? "")).toMatchObject({ stream: other, group: "g", desired: 1 });
      expect(ndjson(hooking.lines.join("\n"))[0]).toMatchObject({ direction: "OUT", current: 0, desired: 1 });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("refuses what does not fit together", async () => {
    const stream = await waiting("refused");
    expectEnd(await cli.run(["scale", "run", stream, "g", "--executor", "process"]), 2, "needs a command", "behind --");
    expectEnd(await cli.run(["scale", "run", stream, "g", "--", "worker"]), 2, "runs no command");
    expectEnd(await cli.run(["scale", "run", stream, "g", "--webhook-url", "http://h"]), 2, "belong together");
    expectEnd(await cli.run(["scale", "run", stream, "nobody"]), 5, 'has no group "nobody"');
    expect(await redis.server.command("XINFO", "CONSUMERS", stream, "g")).toEqual([]);
  });
});
