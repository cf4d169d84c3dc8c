import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { aclRules } from "@redis-batch/core/internal/connection";
import { uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { optionsOf } from "../src/command-line/parse.ts";
import { COMMANDS } from "../src/table/index.ts";
import { expectEnd, expectNoControls, needsTool, useCli } from "./cli.ts";
import { offeredBy, SHELLS } from "./shells.ts";

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
    for (const [word, meant] of [
      ...[
        ["stats", "monitor"],
        ["stat", "monitor"],
        ["redrive", "dead-letters redrive"],
        ["seek", "group seek"],
      ],
    ] as const) {
      expectEnd(await cli.run([word, "s", "g"]), 2, `unknown command "${word}"; did you mean ${meant}?`);
    }
    expectEnd(await cli.run(["consume", "s", "g", "--batchsize", "3"]), 2, "did you mean --batch-size?");
    expectEnd(await cli.run(["consume", "s"]), 2, "<group> is missing", "redis-batch consume --help");
    expectEnd(await cli.run(["help", "consum"]), 2, "did you mean consume?");
    const hostile = await cli.run(["\u001b[2J", "s"]);
    expectEnd(hostile, 2, "\\e[2J");
    expectNoControls(hostile.stderr);
  });

  it.each([
    ["cleanup STREAM g --foreign-idle 2s", "--foreign-idle (2s) must not be below --idle-threshold (1m)"],
    ["monitor STREAM g --foreign-idle 2s", "--foreign-idle (2s) must not be below --idle-threshold (1m)"],
    ["monitor serve STREAM --foreign-idle 2s", "--foreign-idle (2s) must not be below --idle-threshold (1m)"],
    ["scale STREAM g --min 5 --max 2", "--max (2) must not be below --min (5)"],
    ["scale run STREAM g --min 5 --max 2", "--max (2) must not be below --min (5)"],
    ["scale run STREAM g --min 5 --max 2 --executor process -- true", "--max (2) must not be below --min (5)"],
    ["scale STREAM g --strategy ratio --out-rate 10 --in-rate 40", "--in-rate (40) must not be above --out-rate (10)"],
  ])("names flags, not options of the libraries: %s", async (line, says) => {
    const stream = uniqueName("flags");
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM");
    const ended = await cli.run(line.split(" ").map((word) => (word === "STREAM" ? stream : word)));
    expectEnd(ended, 2, says);
    expect(ended.stderr).not.toMatch(/[a-z]Ms\b|new [A-Z]|Consumers\b|Rate\b/);
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
        const { command } = await cli.json(["acl", role, stream, "--name", role, "--acl-file"]);
        const [, name = "", ...rules] = String(command).replace("PASSWORD", role).split(" ");
        await redis.server.command("ACL", "SETUSER", name, "reset", ...rules);
      }),
    );

  it("prints rules that are enough for the work", async () => {
    expect.hasAssertions();
    const stream = uniqueName("acl");
    await grant(stream, ["producer", "consumer", "monitor"]);
    expectEnd(await cli.run(["produce", stream, "order=1", "--idempotency-field", "order"], as("producer")), 0);
    expectEnd(
      await cli.run(["consume", stream, "g", "--create", "start", "--count", "1"], as("consumer")),
      0,
      '"order":"1"',
    );
    expectEnd(await cli.run(["monitor", stream, "g"], as("monitor")), 0, "waiting");
    expectEnd(await cli.run(["produce", stream, "a=1"], as("monitor")), 4, "xadd");
  });

  it("prints rules of several streams that are enough to read them together", async () => {
    const streams = [uniqueName("acl"), uniqueName("acl")];
    for (const stream of streams) {
      await redis.server.command("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM");
      await redis.server.command("XADD", stream, "*", "n", "1");
    }
    await grant(streams.join(), ["consumer"]);
    await redis.server.command("CONFIG", "RESETSTAT");
    const consumed = await cli.run(["consume", streams.join(), "g", "--count", "2"], as("consumer"));
    expectEnd(consumed, 0, ...streams);
    const stats = String(await redis.server.command("INFO", "commandstats"));
    expect(stats).toMatch(/cmdstat_xreadgroup:.*rejected_calls=0/);
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
    const rules = aclRules("groups", stream).filter((rule) => !rule.includes("+unlink"));
    await redis.server.command("ACL", "SETUSER", "groups", "clearselectors", ...rules);
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
    expect(json["command"]).toBe(`ACL SETUSER it reset resetchannels on >PASSWORD ${String(json["rule"])}`);
  });
});

describe("completion", () => {
  const specs = COMMANDS.map(({ spec }) => spec);
  const after = (...path: string[]): string[] =>
    specs.flatMap((spec) => {
      const isUnder = path.every((word, at) => spec.path[at] === word) && spec.path.length > path.length;
      return isUnder ? [spec.path[path.length] ?? ""] : [];
    });
  /** Lines, each with what has to be offered, and what must not. */
  const cases = [
    { line: [""], offers: [...new Set(after()), "help"], not: ["create", "--url"] },
    { line: ["cons"], offers: ["consume", "consumers"], not: ["check"] },
    { line: ["tail", "group", ""], offers: [], not: ["create", "seek"] },
    { line: ["--url", "group", "dead-letters", ""], offers: after("dead-letters"), not: ["create", "consume"] },
    { line: ["consume", "s", "g", "--count", ""], offers: [], not: ["--url", "--count"] },
    ...[...new Set(specs.filter(({ path }) => path.length === 2).map(({ path }) => path[0] ?? ""))].map((noun) => ({
      line: [noun, ""],
      offers: after(noun),
      not: ["consume"],
    })),
    ...specs.flatMap((spec) => {
      const options = Object.entries(optionsOf(spec));
      const foreign = specs.flatMap((other) => Object.keys(other.options)).filter((name) => !(name in optionsOf(spec)));
      return [
        {
          line: [...spec.path, "--"],
          offers: options.map(([name]) => `--${name}`),
          not: foreign.map((name) => `--${name}`),
        },
        ...options.flatMap(([name, option]) =>
          option.kind === "choice"
            ? [{ line: [...spec.path, `--${name}`, ""], offers: option.choices, not: ["--json"] }]
            : [],
        ),
        ...spec.args.flatMap(({ choices = [] }) =>
          choices.map((choice) => ({ line: [...spec.path, choice.slice(0, 2)], offers: [choice], not: ["--json"] })),
        ),
      ];
    }),
  ];

  it.for(SHELLS)("%s completes every command, option and choice where it belongs", async (shell, context) => {
    needsTool(context, shell);
    const script = join(cli.folder, `completion.${shell}`);
    writeFileSync(script, (await cli.run(["completion", shell])).stdout);
    const lines = cases.map(({ line }) => line);
    const answers = offeredBy(shell, script, lines);
    expect(answers).toHaveLength(cases.length);
    const wrong = cases.flatMap(({ line, offers, not }, at) => {
      const typed = line.at(-1) ?? "";
      const offered = answers[at]?.filter((word) => word.startsWith(typed)) ?? [];
      const missing = offers.filter((word) => !offered.includes(word));
      const tooMany = offered.filter((word) => not.includes(word));
      return missing.length + tooMany.length === 0 ? [] : [{ line, missing, tooMany }];
    });
    expect(wrong).toEqual([]);
  });

  it("is there for no other shell", async () => {
    expect.hasAssertions();
    expectEnd(await cli.run(["completion", "cmd"]), 2, "must be one of bash, zsh, fish");
  });
});
