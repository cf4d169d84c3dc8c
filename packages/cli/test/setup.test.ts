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
  it("prints rules that are enough for the work", async () => {
    expect.hasAssertions();
    const stream = uniqueName("acl");
    for (const role of ["producer", "consumer", "monitor"]) {
      const { command, rule } = await cli.json(["acl", role, stream, "--name", role]);
      expectEnd(await cli.run(["acl", role, stream]), 0, String(rule));
      await redis.server.command(...(String(command).replace("PASSWORD", role).split(" ") as [string]));
    }
    const as = (user: string) => ({
      env: { REDIS_URL: `redis://${user}:${user}@127.0.0.1:${redis.server.port}` },
    });
    expectEnd(await cli.run(["produce", stream, "order=1", "--key-field", "order"], as("producer")), 0);
    expectEnd(
      await cli.run(["consume", stream, "g", "--create", "start", "--count", "1"], as("consumer")),
      0,
      '"order":"1"',
    );
    expectEnd(await cli.run(["monitor", stream, "g"], as("monitor")), 0, "waiting");
    expectEnd(await cli.run(["produce", stream, "a=1"], as("monitor")), 4, "xadd");
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
