/** From a command line to an exit code. Loads only what the command needs. */
import { commandHelp, familyHelp, overviewHelp } from "./command-line/help.ts";
import { type Arguments, namesOf, type Problem, parseCommandLine, readNames } from "./command-line/parse.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { BrokenPipe, describeFailure, explainFailure, problemsAsFlags } from "./failure.ts";
import { Interrupted, listenForInterrupts } from "./interrupts.ts";
import type { TableEntry } from "./table/entry.ts";
import { COMMANDS } from "./table/index.ts";
import { Terminal } from "./terminal.ts";

const SPECS = COMMANDS.map(({ spec }) => spec);

/** Runs one command line and resolves with the exit code. */
export async function main(line: readonly string[]): Promise<number> {
  const { stdout, stderr, env } = process;
  const terminal = new Terminal({ stdout, stderr, env });
  const asJson = asksForJson(line);
  try {
    return await dispatch(line, terminal, asJson);
  } catch (error) {
    if (error instanceof BrokenPipe) return EXIT_CODES.ok.code;
    if (error instanceof Interrupted) return EXIT_CODES.interrupted.code;
    const failure = describeFailure(error);
    terminal.complain(failure, asJson);
    return failure.code;
  }
}

async function dispatch(line: readonly string[], terminal: Terminal, asJson: boolean): Promise<number> {
  const parsed = parseCommandLine(line, SPECS);
  switch (parsed.kind) {
    case "version": {
      const { readVersion } = await import("./version.ts");
      await terminal.write(`${readVersion()}\n`);
      return EXIT_CODES.ok.code;
    }
    case "help":
      return help(parsed.path, terminal);
    case "wrong": {
      const { didYouMean } = await import("@redis-batch/core/internal/options");
      const problems = parsed.problems.map(({ sentence, unknown }) => `${sentence}${suggestion(unknown, didYouMean)}`);
      const called = SPECS.find(({ path }) => path.join(" ") === parsed.path.join(" "));
      const code = called?.misuseCode ?? EXIT_CODES.usage.code;
      const message = problems.join(asJson ? "; " : "\n       ");
      terminal.complain({ code, message, fix: `redis-batch ${[...parsed.path, "--help"].join(" ")}` }, asJson);
      return code;
    }
    case "run": {
      const { spec } = parsed;
      const { output, quiet, "no-color": isPlain } = parsed.options;
      terminal.format({
        ...{ isQuiet: quiet === true, isPlain: isPlain === true },
        ...{ isWide: output === "wide", isRowWise: output === "ndjson" },
      });
      const entry = COMMANDS.find((candidate) => candidate.spec === spec) as TableEntry;
      const command = await entry.load();
      const { args, options } = namesOf(spec).length > 0 ? readNames(parsed, await nameReader()) : parsed;
      const onFirst = spec.drains
        ? () => terminal.note("finishing the current work; press Ctrl-C again to stop at once")
        : undefined;
      try {
        const exit = await command.run({
          args,
          options: { ...options, json: asJson },
          terminal,
          commands: SPECS,
          ...listenForInterrupts(onFirst),
        });
        return typeof exit === "number" ? exit : EXIT_CODES[exit ?? "ok"].code;
      } catch (error) {
        const said = (await problemsAsFlags(error, spec.options)) ?? error;
        throw explainFailure(said, { path: spec.path, stream: one(args["stream"]), group: one(args["group"]) });
      }
    }
  }
}

/** Whether the output is for a program: then what is wrong with the command line itself is as well. */
function asksForJson(line: readonly string[]): boolean {
  const words = line.includes("--") ? line.slice(0, line.indexOf("--")) : line;
  return words.some(
    (word, at) =>
      word === "--json" ||
      /^(-o|--output=)(json|ndjson)$/.test(word) ||
      (/^(-o|--output)$/.test(word) && /^(json|ndjson)$/.test(words[at + 1] ?? "")),
  );
}

/** Loaded only by commands that take the name of a stream, group or consumer. */
async function nameReader(): Promise<(shown: string) => string> {
  return (await import("@redis-batch/core")).parseName;
}

const one = (value: Arguments[string]): string | undefined => (typeof value === "string" ? value : undefined);

async function help(path: readonly string[], terminal: Terminal): Promise<number> {
  const width = Math.min(terminal.width ?? 100, 100);
  const [only, ...others] = SPECS.filter((spec) => path.every((word, index) => spec.path[index] === word));
  if (only === undefined) return dispatch(path, terminal, false);
  const isOne = others.length === 0 && path.length > 0;
  const text =
    path.length === 0
      ? overviewHelp(SPECS, width)
      : isOne || only.path.length === path.length
        ? commandHelp(only, width)
        : familyHelp([only, ...others], width);
  await terminal.write(text);
  return EXIT_CODES.ok.code;
}

function suggestion(
  unknown: Problem["unknown"],
  didYouMean: (name: string, known: readonly string[]) => string | undefined,
): string {
  const near = unknown === undefined ? undefined : didYouMean(unknown.name, unknown.known);
  const meant = unknown?.means?.[near ?? ""] ?? near;
  return meant === undefined ? "" : `; did you mean ${meant}?`;
}
