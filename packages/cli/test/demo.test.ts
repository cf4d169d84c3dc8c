import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findServer, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, useCli } from "./cli.ts";

const redis = useServer({ own: true });
const cli = useCli(redis);
const AWAY = "redis://127.0.0.1:1";

describe("demo", () => {
  it("kills a worker, loses nothing, and leaves nothing behind", async () => {
    const toured = await cli.run(["demo", "-n", "120"]);
    expectEnd(toured, 0, "Kill worker-1", "messages of worker-1 were released for any consumer", "Nothing was lost.");
    expect(await redis.server.command("KEYS", "*")).toEqual([]);
  });

  it("ends its workers and cleans up on Ctrl-C", async () => {
    await using process = await cli.start(["demo", "-n", "5000"]);
    await process.waitForLine(/waiting \d+, pending [1-9]/);
    process.kill("SIGINT");
    expect((await process.exited).code).toBe(130);
    expect(await redis.server.command("KEYS", "*")).toEqual([]);
    expect(await redis.server.command("CLIENT", "LIST", "TYPE", "normal")).not.toContain("redis-batch");
  });

  it("starts a server of its own where none answers, and says what to do where it cannot", async (context) => {
    expect.hasAssertions();
    const source = await findServer();
    if (source.kind !== "binary") return context.skip("there is no program to start a server from");
    const folder = join(cli.folder, "bin");
    mkdirSync(folder);
    writeFileSync(join(folder, "redis-server"), `#!/bin/sh\nexec '${source.path}' "$@"\n`);
    chmodSync(join(folder, "redis-server"), 0o755);
    const env = { REDIS_URL: AWAY, PATH: `${folder}:/usr/bin:/bin` };
    expectEnd(await cli.run(["demo", "-n", "100"], { env }), 0, "a temporary one was started", "Nothing was lost.");
    expectEnd(
      await cli.run(["demo"], { env: { ...env, PATH: "/nowhere" } }),
      3,
      "neither redis-server nor valkey-server",
    );
    expectEnd(await cli.run(["demo", "--url", AWAY, "--connect-timeout", "200ms"], { env }), 3, "ECONNREFUSED");
  });
});
