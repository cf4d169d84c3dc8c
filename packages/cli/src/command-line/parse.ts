import { parseArgs } from "node:util";
import { COMMON_OPTIONS, CONNECTION_OPTIONS } from "./global-options.ts";
import { parseOptionValue, type Value } from "./option-value.ts";
import type { CommandSpec, OptionSpec, OptionSpecs } from "./spec.ts";

/** The parsed command line. */
export type Parsed<Spec extends CommandSpec> =
  | { readonly kind: "version" }
  /** `path` may be the beginning of several commands, or empty. */
  | { readonly kind: "help"; readonly path: readonly string[] }
  | { readonly kind: "run"; readonly spec: Spec; readonly args: Arguments; readonly options: Options }
  | { readonly kind: "wrong"; readonly path: readonly string[]; readonly problems: readonly Problem[] };

export type Arguments = Readonly<Record<string, string | readonly string[] | undefined>>;
export type Options = Readonly<Record<string, Value | undefined>>;

export interface Problem {
  readonly sentence: string;
  /** An unknown name, and the known ones, for a "did you mean". */
  readonly unknown?: {
    readonly name: string;
    readonly known: readonly string[];
    /** What to suggest for a known name, if that is another one. */
    readonly means?: Readonly<Record<string, string>>;
  };
}

/** Every option of a command, including those that all commands have. */
export function optionsOf(spec: CommandSpec): OptionSpecs {
  return { ...spec.options, ...(spec.connects ? CONNECTION_OPTIONS : {}), ...COMMON_OPTIONS };
}

/**
 * Reads a command line. Options may stand anywhere, even before the command; after `--` nothing is an option.
 */
export function parseCommandLine<Spec extends CommandSpec>(
  line: readonly string[],
  commands: readonly Spec[],
): Parsed<Spec> {
  const { tokens } = parseArgs({
    args: [...line],
    options: shapesOf(commands),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const typed = tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : []));
  const words = resolveAliases(typed, commands);
  const given = tokens.filter((token) => token.kind === "option");
  const wantsHelp = given.some(({ name }) => name === "help" || name === "h");
  const asksVersion = words.length === 1 && words[0] === "version";
  if (asksVersion || given.some(({ rawName }) => rawName === "--version" || rawName === "-V")) {
    return { kind: "version" };
  }
  if (words[0] === "help") return { kind: "help", path: words.slice(1) };
  if (words.length === 0)
    return given.length === 0 || wantsHelp ? { kind: "help", path: [] } : noCommand(given, commands);
  const spec = findCommand(words, commands);
  if (spec === undefined) return wantsHelp ? helpFor(words, commands) : unknownCommand(words, commands);
  if (wantsHelp) return { kind: "help", path: spec.path };

  const problems: Problem[] = [];
  const options = readOptions(given, optionsOf(spec), problems);
  const args = readArguments(words.slice(spec.path.length), spec, problems);
  return problems.length === 0 ? { kind: "run", spec, args, options } : { kind: "wrong", path: spec.path, problems };
}

/** The arguments and options of a command that are names of streams, groups or consumers. */
export function namesOf({ args, options }: CommandSpec): readonly string[] {
  return [
    ...args.filter(({ isName }) => isName).map(({ name }) => name),
    ...Object.entries(options).flatMap(([name, { kind }]) => (kind === "name" ? [name] : [])),
  ];
}

/** The same with its names unescaped, by the caller's reader, which is only loaded with a command. */
export function readNames<Spec extends CommandSpec>(
  { spec, args, options }: Extract<Parsed<Spec>, { readonly kind: "run" }>,
  read: (shown: string) => string,
): { readonly args: Arguments; readonly options: Options } {
  const names = namesOf(spec);
  const readOne = <One>(value: One): One | string | readonly string[] => {
    if (Array.isArray(value)) return value.map((one: string) => read(one));
    return typeof value === "string" ? read(value) : value;
  };
  const readAll = <Values extends Arguments | Options>(values: Values): Values =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, names.includes(name) ? readOne(value) : value]),
    ) as Values;
  return { args: readAll(args), options: readAll(options) };
}

interface GivenOption {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** Which options take a value, over all commands. An option means the same everywhere; a test checks that. */
function shapesOf(commands: readonly CommandSpec[]): Record<string, { type: "boolean" | "string"; short?: string }> {
  const shapes: Record<string, { type: "boolean" | "string"; short?: string }> = {};
  for (const spec of commands) {
    for (const [name, option] of Object.entries(optionsOf(spec))) {
      shapes[name] = {
        type: option.kind === "flag" ? "boolean" : "string",
        ...(option.short === undefined ? {} : { short: option.short }),
      };
    }
  }
  return shapes;
}

function findCommand<Spec extends CommandSpec>(words: readonly string[], commands: readonly Spec[]): Spec | undefined {
  const called = commands.filter(({ path }) => path.every((word, index) => words[index] === word));
  // "monitor serve" is the command, not "monitor" of a stream named "serve".
  return called.toSorted((left, right) => right.path.length - left.path.length)[0];
}

function helpFor(words: readonly string[], commands: readonly CommandSpec[]): Parsed<never> {
  const isFamily = commands.some(({ path }) => path[0] === words[0]);
  return isFamily ? { kind: "help", path: words.slice(0, 1) } : unknownCommand(words, commands);
}

/** Only options, no command: a mistyped option must not count as success. */
function noCommand(given: readonly GivenOption[], commands: readonly CommandSpec[]): Parsed<never> {
  const known = [
    "--version",
    ...new Set(commands.flatMap((spec) => Object.keys(optionsOf(spec)).map((name) => `--${name}`))),
  ];
  const letters = commands.flatMap((spec) => Object.values(optionsOf(spec)).map(({ short }) => `-${short ?? ""}`));
  const unknown = given.find(({ rawName }) => !known.includes(rawName) && !letters.includes(rawName));
  return unknown === undefined
    ? wrong([], "a command is missing")
    : wrong([], `unknown option ${unknown.rawName}`, { name: unknown.rawName, known });
}

/** What people type for a command that has another name here. */
const OTHER_WORDS: Readonly<Record<string, string>> = {
  stats: "monitor",
  health: "check",
  info: "monitor",
  inspect: "monitor",
  watch: "monitor",
  lag: "groups",
  list: "streams",
  read: "consume",
  send: "produce",
  add: "produce",
  publish: "produce",
  claim: "reassign",
  release: "reassign",
  login: "context add",
};

/** Short words that people type, for the words of commands; the first of these that there is. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  dlq: ["dead-letters"],
  ls: ["list"],
  rm: ["delete", "remove", "discard"],
};

/** The words with `dlq`, `ls` and `rm` replaced, where they stand for the word of a command. */
function resolveAliases(words: readonly string[], commands: readonly CommandSpec[]): readonly string[] {
  const [first = "", second = "", ...rest] = words;
  // What is listed follows from what is named: all streams, the groups of one, or the consumers of a group.
  if (first === "ls") return [["streams", "groups", "consumers"][words.length - 1] ?? first, ...words.slice(1)];
  if (first === "group" && second === "ls") return ["groups", ...rest];
  const noun = ALIASES[first]?.[0] ?? first;
  const verbs = commands.filter(({ path }) => path[0] === noun && path.length === 2).map(({ path }) => path[1] ?? "");
  const isFamily = verbs.length > 0 && !commands.some(({ path }) => path.length === 1 && path[0] === noun);
  if (!isFamily) return words;
  const verb = (ALIASES[second] ?? [second]).find((word) => verbs.includes(word));
  // Without a verb the dead letters are listed.
  if (verb === undefined && first === "dlq" && words.length > 2) return [noun, "list", second, ...rest];
  return [noun, verb ?? second, ...rest].slice(0, Math.max(words.length, 1));
}

function unknownCommand(words: readonly string[], commands: readonly CommandSpec[]): Parsed<never> {
  const [first = "", second] = words;
  const family = commands.filter(({ path }) => path[0] === first).map(({ path }) => path[1] ?? "");
  if (family.length === 0) {
    const paths = commands.map(({ path }) => path.join(" "));
    // Often typed without its first word: `redrive` for `dead-letters redrive`.
    const whole = Object.hasOwn(OTHER_WORDS, first)
      ? OTHER_WORDS[first]
      : paths.find((path) => path.endsWith(` ${first}`));
    if (whole !== undefined) return wrong([], `unknown command "${first}"; did you mean ${whole}?`);
    const known = [...new Set([...commands.map(({ path }) => path[0] ?? ""), ...Object.keys(OTHER_WORDS)])];
    return wrong([], `unknown command "${first}"`, { name: first, known, means: OTHER_WORDS });
  }
  if (second === undefined) return wrong([first], `"${first}" needs a subcommand: ${family.join(", ")}`);
  return wrong([first], `unknown command "${first} ${second}"`, { name: second, known: family });
}

function wrong(path: readonly string[], sentence: string, unknown?: Problem["unknown"]): Parsed<never> {
  return { kind: "wrong", path, problems: [unknown === undefined ? { sentence } : { sentence, unknown }] };
}

function readOptions(given: readonly GivenOption[], specs: OptionSpecs, problems: Problem[]): Options {
  const values: Record<string, Value | undefined> = {};
  for (const [name, spec] of Object.entries(specs)) values[name] = absentValue(spec);
  const seen = new Set<string>();
  for (const { name, rawName, value, inlineValue } of given) {
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (spec === undefined) {
      const known = Object.keys(specs).map((option) => `--${option}`);
      problems.push({ sentence: `unknown option ${rawName}`, unknown: { name: rawName, known } });
      continue;
    }
    if (seen.has(name)) problems.push({ sentence: `--${name} is given twice` });
    seen.add(name);
    // A single "-" is not an option: it stands for standard input, or for the start of the stream.
    if (value?.startsWith("-") && value !== "-" && inlineValue === false) {
      problems.push({ sentence: `--${name} needs a value; one that begins with "-" is written --${name}=${value}` });
      continue;
    }
    const read = parseOptionValue(spec, value);
    if (read.kind === "value") values[name] = read.value;
    else problems.push({ sentence: `--${name} ${read.why}` });
  }
  return values;
}

function absentValue(spec: OptionSpec): Value | undefined {
  if (spec.kind === "flag") return false;
  if (spec.default === undefined) return undefined;
  const read = parseOptionValue(spec, String(spec.default));
  return read.kind === "value" ? read.value : undefined;
}

function readArguments(words: readonly string[], spec: CommandSpec, problems: Problem[]): Arguments {
  const values: Record<string, string | readonly string[] | undefined> = {};
  let rest = words;
  for (const { name, optional, many, isList, isName, choices, forSeveral = "call it once for each" } of spec.args) {
    const typed = many ? rest : rest.slice(0, 1);
    rest = rest.slice(typed.length);
    const taken = isList ? typed.flatMap((word) => word.split(",")) : typed;
    values[name] = many || isList ? taken : taken[0];
    if (taken.length === 0 && !optional) problems.push({ sentence: `<${name}> is missing` });
    if (taken.includes("") && !many) {
      const what = isList && taken.length > 1 ? "must have a name on both sides of each comma" : "must not be empty";
      problems.push({ sentence: `<${name}> ${what}` });
    }
    // As for `consume`, where commas stand between streams. Otherwise `produce a,b` would make a stream of that name.
    if (isName && name === "stream" && !isList && taken.some((word) => word.includes(","))) {
      problems.push({
        sentence: `<stream> is one stream here: for several, ${forSeveral}; a comma of a stream's name is typed \\x2c`,
      });
    }
    for (const word of taken) {
      if (choices === undefined || choices.includes(word)) continue;
      const sentence = `<${name}> must be one of ${choices.join(", ")}`;
      problems.push({ sentence, unknown: { name: word, known: choices } });
    }
  }
  if (rest.length > 0) problems.push({ sentence: `unexpected argument "${rest[0] ?? ""}"` });
  return values;
}
