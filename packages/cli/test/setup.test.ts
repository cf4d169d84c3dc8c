import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, expectNoControls, useCli } from "./cli.ts";

const redis = useServer({
  users: [{ name: "default", password: "all", rules: "~* &* +@all" }],
  speakAs: "default",
});
const cli = useCli(redis);

describe("help and version", () => {
  it("are there for everything, without a server", async () => {
    const away = { env: { REDIS_URL: "redis://127.0.0.1:1" } };
    expectEnd(await cli.run([], away), 0, "Usage: redis-batch <command>");
    expectEnd(await cli.run(["--help"], away), 0, "Exit codes:");
    expectEnd(await cli.run(["help", "consume"], away), 0, "--batch-size <n>", "Examples:");
    expectEnd(await cli.run(["consume", "-h"], away), 0, "--batch-size <n>");
    expectEnd(await cli.run(["group", "--help"], away), 0, "group seek <stream> <group>");
    expectEnd(await cli.run(["--version"], away), 0);
    expect((await cli.run(["--version"], away)).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("load nothing but the table, so that they are there at once", () => {
    const seen = new Set<string>();
    const outside = new Set<string>();
    const follow = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      // Imports that are carried out when the file is loaded; those that a command makes later have parentheses.
      for (const [, from = ""] of readFileSync(file, "utf8").matchAll(
        /^(?:import|export) ?(?:[^"()]*from )?"([^"]+)"/gm,
      )) {
        if (from.startsWith(".")) follow(join(dirname(file), from));
        else outside.add(from);
      }
    };
    follow(cli.bin);
    expect(seen.size).toBeGreaterThan(1);
    expect([...outside].filter((name) => !["util", "stream"].includes(name.replace("node:", "")))).toEqual([]);
  });

  it("what is mistyped is answered with what was meant", async () => {
    expect.hasAssertions();
    expectEnd(await cli.run(["consum", "s", "g"]), 2, "did you mean consume?");
    expectEnd(await cli.run(["group", "sek", "s"]), 2, "did you mean seek?");
    expectEnd(await cli.run(["consume", "s", "g", "--batchsize", "3"]), 2, "did you mean --batch-size?");
    expectEnd(await cli.run(["consume", "s"]), 2, "<group> is missing", "redis-batch consume --help");
    expectEnd(await cli.run(["help", "consum"]), 2, "did you mean consume?");
    const hostile = await cli.run(["\u001b[2J", "s"]);
    expectEnd(hostile, 2, "\\e[2J");
    expectNoControls(hostile.stderr);
  });

  it("colours only where it is seen, or asked for", async () => {
    const args = ["streams", "--nope"];
    const escape = "\u001b[31m";
    expect((await cli.run(args)).stderr).not.toContain(escape);
    expect((await cli.run(args, { env: { FORCE_COLOR: "1" } })).stderr).toContain(escape);
    expect((await cli.run(args, { env: { FORCE_COLOR: "1", NO_COLOR: "1" } })).stderr).not.toContain(escape);
  });
});

describe("acl", () => {
  const as = (user: string) => ({ env: { REDIS_URL: `redis://${user}:${user}@127.0.0.1:${redis.server.port}` } });
  /** Makes a user of each role's name, with what is printed for it. */
  const grant = (stream: string, roles: readonly string[]) =>
    Promise.all(
      roles.map(async (role) => {
        const { command } = await cli.json(["acl", role, stream, "--name", role]);
        await redis.server.command(...(String(command).replace("PASSWORD", role).split(" ") as [string]));
      }),
    );

  it("prints rules that are enough for the work", async () => {
    expect.hasAssertions();
    const stream = uniqueName("acl");
    await grant(stream, ["producer", "consumer", "monitor"]);
    expectEnd(await cli.run(["produce", stream, "order=1", "--key-field", "order"], as("producer")), 0);
    expectEnd(
      await cli.run(["consume", stream, "g", "--create", "start", "--count", "1"], as("consumer")),
      0,
      '"order":"1"',
    );
    expectEnd(await cli.run(["monitor", stream, "g"], as("monitor")), 0, "waiting");
    expectEnd(await cli.run(["produce", stream, "a=1"], as("monitor")), 4, "xadd");
  });

  it("prints rules that are enough to keep groups, and names what is left where deleting lacks one", async () => {
    expect.hasAssertions();
    const stream = uniqueName("acl");
    await redis.server.command("XADD", stream, "*", "a", "1");
    await grant(stream, ["groups"]);
    const group = (...args: string[]) => cli.run(["group", ...args, "--yes"], as("groups"));
    expectEnd(await group("create", stream, "g"), 0);
    expectEnd(await group("seek", stream, "g", "--to", "end", "--skip-unread"), 0);
    await redis.server.command("XGROUP", "CREATE", stream, "h", "0");
    for (const name of ["old", "new"]) await redis.server.command("XGROUP", "CREATECONSUMER", stream, "h", name);
    await redis.server.command("XREADGROUP", "GROUP", "h", "old", "STREAMS", stream, ">");
    const fromTo = ["--from", "old", "--to", "new", "--to-unregistered", "--min-idle", "0", "--yes"];
    expectEnd(await cli.run(["reassign", stream, "h", ...fromTo], as("groups")), 0, "moved");
    expectEnd(await group("delete", stream, "h", "--lose-pending"), 0);
    // The group goes first; what is left then is named, for somebody who may.
    await redis.server.command("ACL", "SETUSER", "groups", "-unlink");
    const half = await group("delete", stream, "g");
    expectEnd(half, 4, "the group is deleted, but", "'unlink'", `UNLINK rb:{${stream}}:consumers:${stream}:g rb:`);
  });

  it("prints the same as text and as JSON, which also says what it was asked", async () => {
    const [rule, command, json] = await Promise.all([
      cli.run(["acl", "scaler", "{a b}*", "--least"]),
      cli.run(["acl", "scaler", "{a b}*", "--least", "--name", "it"]),
      cli.json(["acl", "scaler", "{a b}*", "--least", "--name", "it"]),
    ]);
    expect(json).toEqual({
      ...{ role: "scaler", stream: "{a b}*" },
      ...{ rule: rule.stdout.trimEnd(), command: command.stdout.trimEnd() },
    });
    expect(json["command"]).toBe(`ACL SETUSER it reset on >PASSWORD ${String(json["rule"])}`);
  });
});

describe("completion", () => {
  it("bash completes commands, options and their words", async () => {
    const { stdout } = await cli.run(["completion", "bash"]);
    const complete = (...words: string[]) =>
      execFileSync(
        "bash",
        [
          "-c",
          `source /dev/stdin <<< "$SCRIPT"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _redis_batch; echo "\${COMPREPLY[@]}"`,
          "-",
          "redis-batch",
          ...words,
        ],
        { env: { ...process.env, SCRIPT: stdout }, encoding: "utf8" },
      )
        .trim()
        .split(" ");
    expect(complete("cons")).toEqual(["consume", "consumers"]);
    expect(complete("group", "")).toEqual(["create", "seek", "delete"]);
    expect(complete("--url", "redis://h", "dead-letters", "s")).toEqual(["show"]);
    expect(complete("consume", "s", "g", "--batch-")).toEqual(["--batch-size"]);
    expect(complete("check", "s", "g", "--format", "n")).toEqual(["nagios"]);
    expect(complete("acl", "pro")).toEqual(["producer"]);
    expect(complete("consume", "s", "g", "--count", "")).toEqual([""]);
    expect(complete("monitor", "ser")).toEqual(["serve"]);
  });

  it("zsh and fish get a script, another shell does not", async () => {
    expectEnd(await cli.run(["completion", "zsh"]), 0, "#compdef redis-batch");
    expectEnd(await cli.run(["completion", "fish"]), 0, "complete -c redis-batch");
    expectEnd(await cli.run(["completion", "cmd"]), 2, "must be one of bash, zsh, fish");
    expect.hasAssertions();
  });
});
