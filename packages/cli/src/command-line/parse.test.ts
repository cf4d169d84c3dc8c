import { parseName } from "@redis-batch/core";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../table/index.ts";
import { optionsOf, parseCommandLine, readNames } from "./parse.ts";

const SPECS = COMMANDS.map(({ spec }) => spec);
const parse = (...line: string[]) => parseCommandLine(line, SPECS);

test.each([
  ["stats", "monitor"],
  ["redrive", "dead-letters redrive"],
  ["add", "produce"],
  ["create", "group create"],
])("answers %s with a command that exists: %s", (word, meant) => {
  expect(sentences(word, "s", "g")).toEqual([`unknown command "${word}"; did you mean ${meant}?`]);
  expect(parse(...meant.split(" "), "--help")).toMatchObject({ kind: "help", path: meant.split(" ") });
});

test("knows no command from what every object has", () => {
  expect(sentences("constructor")).toEqual(['unknown command "constructor"']);
});

function sentences(...line: string[]): string[] {
  const parsed = parse(...line);
  return parsed.kind === "wrong" ? parsed.problems.map(({ sentence }) => sentence) : [];
}

describe("parseCommandLine", () => {
  test("takes options anywhere, before the command too, and nothing as one after --", () => {
    const parsed = parse("--json", "--url", "redis://h", "produce", "s", "--rate=5", "--", "--a=1", "b=2");
    expect(parsed).toMatchObject({
      kind: "run",
      args: { stream: "s", "field=value": ["--a=1", "b=2"] },
      options: { json: true, url: "redis://h", rate: 5, "dry-run": false, "connect-timeout": 10_000 },
    });
  });

  test("prefers the longer command", () => {
    expect(parse("monitor", "serve", "s")).toMatchObject({ kind: "run", args: { stream: "s" } });
    expect(parse("monitor", "s", "serve")).toMatchObject({ kind: "run", args: { stream: "s", group: "serve" } });
  });

  test("names every problem at once", () => {
    expect(sentences("consume", "s", "--batch-size", "0", "--max-wait", "soon", "--ack", "maybe", "--nope")).toEqual([
      '--batch-size must be a whole number from 1 to 10000, not "0"',
      '--max-wait must be a time such as 500ms, 5s, 10m, 2h or 7d, from 0 to 1h, not "soon"',
      '--ack must be one of on-success, always, never, not "maybe"',
      "unknown option --nope",
      "<group> is missing",
    ]);
  });

  test("takes no option for the value of another", () => {
    expect(sentences("consume", "s", "g", "--name", "--json")).toEqual([
      '--name needs a value; one that begins with "-" is written --name=--json',
    ]);
    expect(parseCommandLine(["produce", "s", "--file", "-"], SPECS)).toMatchObject({ options: { file: "-" } });
    expect(sentences("consume", "s", "g", "--name")).toEqual(["--name needs a value"]);
    expect(sentences("streams", "--json=yes")).toEqual(["--json takes no value"]);
  });

  test("refuses what is given twice, empty, or too much", () => {
    expect(sentences("streams", "--limit", "1", "--limit", "2")).toEqual(["--limit is given twice"]);
    expect(sentences("groups", "")).toEqual(["<stream> must not be empty"]);
    expect(sentences("groups", "a", "b")).toEqual(['unexpected argument "b"']);
  });

  test("takes options without a command for a mistake, and asks for help and version for none", () => {
    expect(sentences("--verson")).toEqual(["unknown option --verson"]);
    expect(sentences("-v")).toEqual(["unknown option -v"]);
    expect(sentences("--json", "--url", "redis://h")).toEqual(["a command is missing"]);
    expect([parse(), parse("--json", "-h"), parse("help")]).toEqual(
      Array.from({ length: 3 }, () => ({ kind: "help", path: [] })),
    );
    expect([parse("version"), parse("-V"), parse("--version")]).toEqual(
      Array.from({ length: 3 }, () => ({ kind: "version" })),
    );
  });

  test("knows no option by the name of something every object has", () => {
    expect(sentences("streams", "--constructor", "--__proto__")).toHaveLength(2);
  });
});

describe("the table", () => {
  test("an option is a flag everywhere or nowhere, and a letter means one option", () => {
    const kinds = new Map<string, boolean>();
    const letters = new Map<string, string>();
    for (const spec of SPECS) {
      for (const [name, option] of Object.entries(optionsOf(spec))) {
        const isFlag = option.kind === "flag";
        expect([spec.path, name, kinds.get(name) ?? isFlag]).toEqual([spec.path, name, isFlag]);
        kinds.set(name, isFlag);
        if (option.short === undefined) continue;
        expect([spec.path, letters.get(option.short) ?? name]).toEqual([spec.path, name]);
        letters.set(option.short, name);
      }
    }
  });

  test("every default can be read, every example is a command that is understood", () => {
    for (const spec of SPECS) {
      expect(spec.examples.length).toBeGreaterThan(0);
      for (const { line } of spec.examples) {
        for (const part of line.split("|").filter((text) => text.includes("redis-batch"))) {
          const words = (part.split(" > ")[0]?.split(" >> ")[0] ?? "").match(/'[^']*'|\S+/g) ?? [];
          const called = words.slice(1).map((word) => word.replaceAll("'", ""));
          expect([line, parse(...called).kind]).toEqual([line, "run"]);
        }
      }
    }
  });
});

test("names of streams, groups and consumers are read as they are shown, and nothing else is", () => {
  const parsed = parse("reassign", "s\\xff", "g", "--from", "c\\xfe", "--to", "d", "--url", "redis://h\\xff");
  if (parsed.kind !== "run") throw new Error("it is a command");
  const { args, options } = readNames(parsed, (shown) => `<${shown}>`);
  expect(args).toEqual({ stream: "<s\\xff>", group: "<g>" });
  expect(options).toMatchObject({ from: "<c\\xfe>", to: "<d>", url: "redis://h\\xff", yes: false });
});

test("an argument that is a list has its names between commas, each of them read as it is shown", () => {
  const parsed = parse("consume", "a,b\\x2cc,d", "g");
  if (parsed.kind !== "run") throw new Error("it is a command");
  expect(readNames(parsed, parseName).args).toEqual({ streams: ["a", "b,c", "d"], group: "g" });
  for (const typed of ["a,", ",a", "a,,b", ","]) {
    expect(parse("consume", typed, "g")).toMatchObject({
      kind: "wrong",
      problems: [{ sentence: "<streams> must have a name on both sides of each comma" }],
    });
  }
  expect(parse("consume", "", "g")).toMatchObject({ problems: [{ sentence: "<streams> must not be empty" }] });
  expect(parse("consume")).toMatchObject({
    problems: [{ sentence: "<streams> is missing" }, { sentence: "<group> is missing" }],
  });
});

test("several streams, where the command takes one, are refused with what to do instead", () => {
  const told = (...words: readonly string[]): readonly string[] => {
    const parsed = parse(...words);
    return parsed.kind === "wrong" ? parsed.problems.map(({ sentence }) => sentence) : [];
  };
  const one = "<stream> is one stream here: for several,";
  const comma = "a comma of a stream's name is typed \\x2c";
  expect(told("dead-letters", "list", "a,b", "g")).toEqual([`${one} call it once for each; ${comma}`]);
  expect(told("produce", "a,b")).toEqual([`${one} call it once for each; ${comma}`]);
  expect(told("monitor", "a,b", "g")).toEqual([
    `${one} call it once for each, or look at them in \`redis-batch dashboard\`; ${comma}`,
  ]);
  for (const scale of [["scale"], ["scale", "run"]]) {
    expect(told(...scale, "a,b", "g")).toEqual([
      `${one} run a scaler for each: it counts what its consumers do for other streams; ${comma}`,
    ]);
  }
  expect(told("dashboard", "a,b")).toEqual([`${one} leave spaces between them; ${comma}`]);
  const single = SPECS.filter(({ args }) => args.some(({ name }) => name === "stream"));
  for (const { path } of single) expect(told(...path, "a,b", "g").join()).toContain(one);
  const parsed = parse("monitor", "a\\x2cb", "g,h");
  if (parsed.kind !== "run") throw new Error("it is a command");
  expect(readNames(parsed, parseName).args).toEqual({ stream: "a,b", group: "g,h" });
});

test("every argument and option that names a stream, a group or a consumer is known as one", () => {
  const isConsumer = /\bthe consumer('s name| that)|of this consumer/;
  const kinds = SPECS.flatMap(({ path, args, options }) => [
    ...args
      .filter(({ name }) => ["stream", "streams", "group"].includes(name))
      .map(({ name, isName }) => [path.join(" "), name, isName === true]),
    ...Object.entries(options)
      .filter(([, { about }]) => isConsumer.test(about))
      .map(([name, { kind }]) => [path.join(" "), name, kind === "name"]),
  ]);
  expect(kinds.length).toBeGreaterThan(30);
  expect(kinds.filter(([, , isKnown]) => isKnown !== true)).toEqual([]);
});
