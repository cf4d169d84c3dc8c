/** `redis-batch dashboard`: what it serves, and to whom. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, useCli } from "./cli.ts";

const redis = useServer();
const cli = useCli(redis);

async function start(...args: readonly string[]) {
  const running = await cli.start(["dashboard", "--port", "0", ...args]);
  const line = await running.waitForLine(/^url/, { timeoutMs: 20_000 });
  const url = /http\S+/.exec(line)?.[0] ?? "";
  return { process: running, url, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

describe("redis-batch dashboard", () => {
  it("shows a group, also one that is created later, and nobody may act", async () => {
    const stream = uniqueName("shown");
    await using running = await start(stream);
    const { url, process: serving } = running;
    expect(serving.stderr).toContain("waiting for it");
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM");
    await eventually("the group is shown", async () => (await fetch(`${url}api/group?stream=${stream}&group=g`)).ok);
    expect(await (await fetch(`${url}api/session`)).json()).toMatchObject({ mayAct: false, how: "anyone" });
  });

  it("lets in the people of a file, and tells nothing of their tokens", async () => {
    const file = join(cli.folder, "people.txt");
    writeFileSync(file, "# the team\nada ada-has-a-long-token\n\nbob bob-has-a-long-token\n");
    await using running = await start("--tokens-file", file, "--allow-actions", "--operators", "ada, eve");
    const { url, process: serving } = running;
    expect((await fetch(`${url}api/log`)).status).toBe(401);
    const sessions = ["ada", "bob"].map(async (name) => {
      const headers = { authorization: `Bearer ${name}-has-a-long-token` };
      return (await fetch(`${url}api/session`, { headers })).json();
    });
    expect(await Promise.all(sessions)).toMatchObject([
      { user: "ada", mayAct: true },
      { user: "bob", mayAct: false },
    ]);
    expect(`${serving.stderr}${serving.lines.join("")}`).not.toContain("long-token");
  });

  it.each([
    ["ada hunter-2 x", "line 1 of"],
    ["ada hunter-2-hunter-2\nada hunter-3-hunter-3", "a name is twice"],
    ["ada hunter-2", "at least 16 characters"],
  ])("refuses the file %j", async (content, says) => {
    const file = join(cli.folder, "wrong.txt");
    writeFileSync(file, content);
    const ended = await cli.run(["dashboard", "--port", "0", "--tokens-file", file]);
    expectEnd(ended, 2, says);
    expect(ended.stderr).not.toContain("hunter");
  });

  it.each([
    [["--host", "0.0.0.0"], "host is not only this machine"],
    [["--hosts", "ops.example.com"], "hosts needs tokens"],
    [["--interval", "1ms"], "--interval"],
  ])("refuses %j", async (args, says) => {
    const ended = await cli.run(["dashboard", "--port", "0", ...args]);
    expectEnd(ended, 2, says);
    expect(ended.stdout).toBe("");
  });
});
