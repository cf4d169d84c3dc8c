/** The help texts. Pure: a width comes in, lines go out. */
import { EXIT_CODES } from "../exit-codes.ts";
import { wrapText } from "../render/wrap.ts";
import { COMMON_OPTIONS, CONNECTION_OPTIONS } from "./global-options.ts";
import type { ArgumentSpec, CommandSpec, OptionSpec, OptionSpecs } from "./spec.ts";

const PROGRAM = "redis-batch";

const MOST_INDENT = 34;

const FIRST_STEPS = [
  { line: `${PROGRAM} produce orders order=A-17 cents=1999`, does: "add a message" },
  { line: `${PROGRAM} group create orders billing`, does: "create a group that reads all of them" },
  { line: `${PROGRAM} consume orders billing --count 1`, does: "read one, and acknowledge it" },
  { line: `${PROGRAM} monitor orders billing --watch`, does: "watch the group's health" },
  { line: `${PROGRAM} doctor orders billing`, does: "find problems, and suggest fixes" },
] as const;

/** By the first words of the commands. Commands that are not named here come last. */
const SECTIONS: readonly (readonly [title: string, words: readonly string[]])[] = [
  ["Produce and consume", ["produce", "consume", "peek", "tail"]],
  [
    "Look at streams and groups",
    ["status", "top", "streams", "groups", "consumers", "pending", "monitor", "dashboard", "check", "doctor"],
  ],
  ["Repair", ["cleanup", "reassign", "dead-letters", "group", "trim"]],
  ["Scale", ["scale"]],
];

/** The list of all commands. */
export function overviewHelp(commands: readonly CommandSpec[], width: number): string {
  return [
    ...wrapText(
      "Process the messages of a Redis Stream in batches, and monitor, repair and scale its consumer groups.",
      width,
    ),
    "",
    `Usage: ${PROGRAM} <command> [options]`,
    "",
    ...commandSections(commands, width),
    "Options for every command:",
    ...definitions([...optionPairs(COMMON_OPTIONS), ["-V, --version", "print the version"]], width),
    "",
    "Which server is used (the first of these that is set):",
    ...definitions(
      [
        ["--url, --sentinel", "on the command line, never with a password"],
        ["--context", "a connection saved with `context add`"],
        ["REDIS_URL", "may contain a password; REDIS_USERNAME and REDIS_PASSWORD are read as well"],
        ["context use", "the current context"],
        ["otherwise", "redis://localhost:6379"],
      ],
      width,
    ),
    "",
    "Exit codes:",
    ...definitions(
      Object.values(EXIT_CODES).map(({ code, meaning }) => [String(code), meaning]),
      width,
    ),
    "",
    "Examples:",
    ...FIRST_STEPS.map(({ line, does }) => `  ${line.padEnd(52)}# ${does}`),
    "",
    `${PROGRAM} <command> --help shows details and examples.`,
    "",
  ].join("\n");
}

/** The commands that share a first word, such as `group`. */
export function familyHelp(commands: readonly CommandSpec[], width: number): string {
  const word = commands[0]?.path[0] ?? "";
  return [`Usage: ${PROGRAM} ${word} <command> [options]`, "", ...commandLines(commands, width), ""].join("\n");
}

/** One command. */
export function commandHelp(spec: CommandSpec, width: number): string {
  const sections = [
    [`${spec.summary}.`, ...(spec.about ?? []).flatMap((paragraph) => ["", ...wrapText(paragraph, width)])],
    [`Usage: ${usageLine(spec)}`],
    section(
      "Arguments:",
      definitions(
        spec.args.map((arg) => [argumentName(arg), argumentAbout(arg)]),
        width,
      ),
    ),
    section("Options:", optionLines({ ...spec.options, ...COMMON_OPTIONS }, width)),
    spec.connects ? section("Connection:", optionLines(CONNECTION_OPTIONS, width)) : [],
    section(
      "Examples:",
      spec.examples.flatMap(({ line, does }) => [`  # ${does}`, `  ${line}`]),
    ),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

export function usageLine(spec: CommandSpec): string {
  return [PROGRAM, ...spec.path, ...spec.args.map(argumentInUsage), "[options]"].join(" ");
}

function argumentInUsage(arg: ArgumentSpec): string {
  return arg.optional ? `[${argumentName(arg)}]` : argumentName(arg);
}

export function argumentName({ name, many }: ArgumentSpec): string {
  return `<${name}>${many ? "…" : ""}`;
}

export function argumentAbout({ about, choices }: ArgumentSpec): string {
  return choices === undefined ? about : `${about}: ${choices.join(", ")}`;
}

/** `-n, --limit <n>`. */
export function optionName(name: string, spec: OptionSpec): string {
  const value =
    spec.kind === "flag"
      ? ""
      : ` <${spec.kind === "choice" ? "word" : spec.kind === "duration" ? "time" : spec.value}>`;
  return `${spec.short === undefined ? "" : `-${spec.short}, `}--${name}${value}`;
}

export function optionAbout(spec: OptionSpec): string {
  const choices = spec.kind === "choice" ? `: ${spec.choices.join(", ")}` : "";
  const fallback = spec.kind === "flag" || spec.default === undefined ? "" : ` (default ${spec.default})`;
  return `${spec.about}${choices}${fallback}`;
}

function optionLines(options: OptionSpecs, width: number): string[] {
  return definitions(optionPairs(options), width);
}

function optionPairs(options: OptionSpecs): (readonly [string, string])[] {
  return Object.entries(options).map(([name, spec]) => [optionName(name, spec), optionAbout(spec)]);
}

function commandSections(commands: readonly CommandSpec[], width: number): string[] {
  const named = SECTIONS.flatMap(([, words]) => words);
  const others = commands.map(({ path }) => path[0] ?? "").filter((word) => !named.includes(word));
  return [...SECTIONS, ["Set up and try out", others] as const].flatMap(([title, words]) => {
    const those = words.flatMap((word) => commands.filter(({ path }) => path[0] === word));
    return [`${title}:`, ...commandLines([...new Set(those)], width), ""];
  });
}

function commandLines(commands: readonly CommandSpec[], width: number): string[] {
  return definitions(
    commands.map(({ path, args, summary }) => [[...path, ...args.map(argumentInUsage)].join(" "), summary]),
    width,
    MOST_INDENT,
  );
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

/** Terms on the left, meanings on the right. */
function definitions(
  pairs: readonly (readonly [term: string, meaning: string])[],
  width: number,
  leastIndent = 0,
): string[] {
  const indent = Math.max(Math.min(Math.max(...pairs.map(([term]) => term.length), 0) + 4, MOST_INDENT), leastIndent);
  return pairs.flatMap(([term, meaning]) => {
    const [first = "", ...rest] = wrapText(meaning, Math.max(width - indent, 30));
    const head = `  ${term}`;
    const lines = head.length < indent ? [head.padEnd(indent) + first] : [head, " ".repeat(indent) + first];
    return [...lines, ...rest.map((line) => " ".repeat(indent) + line)];
  });
}
