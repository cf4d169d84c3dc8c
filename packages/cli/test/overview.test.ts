import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { partitionStreams } from "@redis-batch/core";
import { eventually, fairNowMs, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, expectSameContent, ndjson, needsTool, useCli } from "./cli.ts";
import { inPane } from "./in-terminal.ts";
import { offeredBy, SHELLS } from "./shells.ts";

const redis = useServer({ own: true });
const cli = useCli(redis);
const command = (...words: (string | number)[]) => redis.server.command(...(words as [string]));

/** Streams that begin alike: one whose group has all, one whose group has nobody for what waits, and one without a group. */
async function several(purpose: string) {
  const name = uniqueName(purpose);
  const [well, stopped, idle] = [`${name}-well`, `${name}-stopped`, `${name}-idle`];
  for (const stream of [well, stopped, idle]) await command("XADD", stream, "*", "order", "A-17", "n", 1);
  await command("XGROUP", "CREATE", well, "g", "$");
  await command("XGROUP", "CREATE", stopped, "g", "0");
  return { name, well, stopped, idle, match: `${name}-*` };
}

describe("status", () => {
  it("shows all groups, the worst first, as table, JSON and rows, and its exit code says whether all are well", async () => {
    const { name, well, stopped, match } = await several("status");
    const args = ["status", "--match", match];
    const [table, json] = await Promise.all([cli.run(args), cli.json(args)]);
    expect(table.code).toBe(1);
    expectSameContent(table.stdout, json);
    expect(json["groups"]).toMatchObject([
      {
        stream: stopped,
        health: "STOPPED",
        waiting: 1,
        reason: expect.stringContaining("no active consumers") as string,
      },
      { stream: well, health: "OK", waiting: 0 },
    ]);
    expect(json["notes"]).toEqual(["1 stream has no group."]);
    const rows = await cli.run([...args, "-o", "ndjson"]);
    expect(ndjson(rows.stdout).map(({ stream }) => stream)).toEqual([stopped, well]);
    expect((await cli.run(["status", "--match", `${name}-well`])).code).toBe(0);
  });

  it("shows a stream with partitions as one", async () => {
    const stream = uniqueName("parted");
    const produce = ["produce", stream, "--partitions", "3", "--key-field", "customer"];
    for (const customer of ["ada", "bob", "eve"]) expectEnd(await cli.run([...produce, `customer=${customer}`]), 0);
    const parts = partitionStreams(stream, 3);
    for (const part of parts) await command("XGROUP", "CREATE", part, "g", "0", "MKSTREAM");
    const { groups, notes } = await cli.json(["status", "--match", `${stream}*`]);
    expect(groups).toMatchObject([{ stream, group: "g", health: "STOPPED", waiting: 3 }]);
    expect(notes).toBe(undefined);
    expect(await command("EXISTS", stream)).toBe(0);
    expectEnd(await cli.run(["pending", parts[0] ?? "", "g"]), 0);
  });

  it("goes on with --watch, a line of JSON for each look, with rates", async () => {
    const { well } = await several("watch");
    await using running = await cli.start(["status", "--match", well, "--watch", "--interval", "100ms", "--json"]);
    await running.waitForLine(/"inPerSecond":0/, { timeoutMs: 20_000 });
    running.kill("SIGTERM");
    expect((await running.exited).code).toBe(0);
    for (const line of running.lines) expect(JSON.parse(line)).toMatchObject({ groups: [{ stream: well }] });
  });
});

describe("top", () => {
  it("selects, opens, sorts and ends by keys, and leaves the terminal as it was", async (context) => {
    needsTool(context, "tmux");
    const { well, stopped, match } = await several("top");
    await inPane(cli, redis, ["top", "--match", `'${match}'`, "--interval", "100ms"], async ({ screen, press }) => {
      const shows = (what: string, is: (text: string) => boolean) =>
        eventually(what, () => is(screen()), { timeoutMs: 20_000 });
      await shows("both groups, the worse first", (text) => {
        const at = text.indexOf(stopped.slice(0, 6));
        return text.includes("2 groups: 1 STOPPED · 1 OK") && at >= 0 && text.includes("q quit");
      });
      press("Down");
      await shows("a selection", (text) => /▸ .*STOPPED/.test(text));
      press("Enter");
      await shows("the group", (text) => text.includes("Esc back") && text.includes(stopped));
      press("Escape");
      await shows("the list again", (text) => text.includes("Enter details"));
      press("s");
      await shows("another order", (text) => text.includes("sort: waiting"));
      press("p");
      await shows("that it is paused", (text) => text.includes("PAUSED"));
      press("q");
      await shows("the end", (text) => text.includes("ended 0"));
      expect(well).not.toBe(stopped);
    });
  });

  describe("SIGTERM", () => {
    it.each([
      ["monitor", ["monitor", "STREAM", "g", "--watch", "--interval", "100ms"], /waiting \d/],
      ["scale", ["scale", "STREAM", "g", "--watch", "--interval", "100ms"], /^throughput/],
      ["scale run", ["scale", "run", "STREAM", "g", "--interval", "100ms"], /^throughput/],
      ["status", ["status", "--match", "STREAM", "--watch", "--interval", "100ms"], /^STREAM/],
    ])("ends %s within seconds, also when the server has stopped answering", async (_name, line, sign) => {
      const { stopped } = await several("frozen");
      await using running = await cli.start(line.map((word) => (word === "STREAM" ? stopped : word)));
      await running.waitForLine(sign, { timeoutMs: 20_000 });
      const thaw = await freeze();
      try {
        const begunMs = fairNowMs();
        running.kill("SIGTERM");
        expect((await running.exited).code).toBe(0);
        expect(fairNowMs() - begunMs).toBeLessThan(5_000);
      } finally {
        await thaw();
      }
    });
  });

  async function freeze(): Promise<() => Promise<void>> {
    await redis.server.freeze();
    return () => redis.server.thaw();
  }

  describe("short words and forms of output", () => {
    it("dlq, ls and rm stand for the words of commands, and for nothing else", async () => {
      const { well, stopped, name } = await several("alias");
      expect((await cli.run(["ls", "--match", `${name}-*`])).stdout).toContain(stopped);
      expect(await cli.json(["ls", well])).toMatchObject({ stream: well, groups: [{ group: "g" }] });
      expect(await cli.json(["ls", well, "g"])).toMatchObject({ consumers: [] });
      expect(await cli.json(["group", "ls", well])).toMatchObject({ groups: [{ group: "g" }] });
      for (const words of [
        ["dlq", well, "g"],
        ["dlq", "ls", well, "g"],
        ["dead-letters", "ls", well, "g"],
      ]) {
        expect(await cli.json(words)).toMatchObject({ total: 0, letters: [] });
      }
      expectEnd(await cli.run(["dlq", "rm", well, "g", "--all"]), 0, "There is nothing to do.");
      expect(await cli.json(["group", "rm", well, "g", "--dry-run"])).toMatchObject({ group: "g", done: false });
      expectEnd(await cli.run(["peek", "ls"]), 5, 'there is no stream "ls"');
      expectEnd(await cli.run(["rm", well]), 2, 'unknown command "rm"');
    });

    it("errors are JSON where the output is, also of the command line itself", async () => {
      for (const words of [
        ["groups", "nowhere", "--json"],
        ["groups", "nowhere", "-o", "ndjson"],
      ]) {
        const { code, stdout, stderr } = await cli.run(words);
        expect([code, stdout]).toEqual([5, ""]);
        expect(JSON.parse(stderr)).toEqual({
          error: {
            code: 5,
            message: 'there is no stream "nowhere"',
            fix: expect.stringContaining("streams") as string,
          },
        });
      }
      const { code, stderr } = await cli.run(["groups", "--jso", "--output=json"]);
      expect([code, JSON.parse(stderr)]).toMatchObject([
        2,
        { error: { message: expect.stringContaining("--jso") as string } },
      ]);
    });

    it("--quiet leaves out notes, --no-color colours, and wide cuts nothing", async () => {
      const { well } = await several("forms");
      const noted = await cli.run(["peek", well, "g"]);
      const quiet = await cli.run(["peek", well, "g", "--quiet"]);
      expect([noted.stderr, quiet.stderr]).toEqual([expect.stringContaining("no messages wait"), ""]);
      const env = { FORCE_COLOR: "1" };
      const [coloured, plain] = await Promise.all([
        cli.run(["groups", well], { env }),
        cli.run(["groups", well, "--no-color"], { env }),
      ]);
      expect([coloured.stdout.includes("\u001b["), plain.stdout.includes("\u001b[")]).toEqual([true, false]);
      expect((await cli.run(["groups", well, "-o", "wide"])).stdout).toBe((await cli.run(["groups", well])).stdout);
    });
  });

  describe("peek --where", () => {
    it("finds messages by a field, up to a bound, and says at which it has looked", async () => {
      const stream = uniqueName("where");
      for (let n = 0; n < 50; n++) await command("XADD", stream, `1-${n + 1}`, "order", `A-${n % 20}`, "n", n);
      const peek = (...more: readonly string[]) =>
        cli.run(["peek", stream, "--where", "order=A-17", ...more, "--json"]);
      const all = await peek();
      expect(ndjson(all.stdout).map(({ id }) => id)).toEqual(["1-18", "1-38"]);
      expect(all.stderr).toContain("2 messages found among the 50 from 1-1 to 1-50");
      const cut = await peek("--scan", "20", "--newest");
      expect(ndjson(cut.stdout).map(({ id }) => id)).toEqual(["1-38"]);
      expect(cut.stderr).toContain(
        "1 message found among the 20 from 1-50 to 1-31; there may be more: --scan looks at more",
      );
      expect(ndjson((await peek("-n", "1")).stdout)).toHaveLength(1);
      const one = await cli.run(["peek", stream, "--where", "order=A-17", "--count", "1", "--json"]);
      expect(one.stderr).toMatch(
        /1 message found among the (\d+) from 1-1 to 1-\1; there may be more: --count shows more/,
      );
      expectEnd(await cli.run(["peek", stream, "--where", "A-17"]), 2, "field=value");
    });
  });

  describe("completion of names", () => {
    it("lists streams, groups and contexts, and is silent about a server that is away", async () => {
      const { well } = await several("names");
      await command("XADD", `${well} with a space`, "*", "n", 1);
      const names = async (...words: readonly string[]) => (await cli.run(["completion", "names", ...words])).stdout;
      expect((await names("stream")).split("\n")).toContain(well);
      expect(await names("stream")).not.toContain("a space");
      expect(await names("group", well)).toBe("g\n");
      writeFileSync(
        join(cli.folder, "config.json"),
        JSON.stringify({ version: 1, contexts: { prod: { url: "redis://h" } } }),
      );
      expect(await names("context")).toBe("prod\n");
      expect(await cli.run(["completion", "names", "stream", "--url", "redis://127.0.0.1:1"])).toEqual({
        ...{ code: 0, stdout: "", stderr: "" },
      });
    });

    it.for(SHELLS)("is offered by %s where a stream, a group or a context is typed", async (shell, context) => {
      needsTool(context, shell);
      const { well } = await several(shell);
      const bin = join(cli.folder, "bin");
      mkdirSync(bin, { recursive: true });
      const program = join(bin, "redis-batch");
      writeFileSync(program, `#!/bin/bash\nexec ${cli.env()["RB"] ?? ""} "$@"\n`);
      chmodSync(program, 0o755);
      const contexts = { version: 1, contexts: { prod: { url: "redis://h" }, staging: { url: "redis://h" } } };
      writeFileSync(join(cli.folder, "config.json"), JSON.stringify(contexts));
      const script = join(cli.folder, `names.${shell}`);
      writeFileSync(script, (await cli.run(["completion", shell])).stdout);
      const env = { ...cli.env(), PATH: `${bin}:${process.env["PATH"] ?? ""}` };
      const [stream, group, option, value, chosen, used] = offeredBy(
        shell,
        script,
        [
          ["monitor", well.slice(0, -1)],
          ["dead-letters", "list", well, ""],
          ["monitor", well, "--w"],
          ["consume", "--count", ""],
          ["streams", "--context", ""],
          ["context", "use", ""],
        ],
        env,
      );
      expect(stream).toContain(well);
      expect(group).toContain("g");
      expect(option).toContain("--watch");
      expect(value).not.toContain(well);
      for (const names of [chosen, used]) expect(names).toEqual(expect.arrayContaining(["prod", "staging"]));
    });
  });
});
