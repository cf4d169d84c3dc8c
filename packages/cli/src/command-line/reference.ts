/** The page of all commands, `docs/cli.md`. */
import { CHECK_CODES } from "../decisions/check.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import { COMMON_OPTIONS, CONNECTION_OPTIONS } from "./global-options.ts";
import { argumentAbout, argumentName, optionAbout, optionName, usageLine } from "./help.ts";
import type { CommandSpec, OptionSpecs } from "./spec.ts";

export function referencePage(commands: readonly CommandSpec[]): string {
  return `${[
    "# The command line",
    "`redis-batch`, from `@redis-batch/cli`. This page is made from the commands themselves: `pnpm generate` writes it.",
    table(
      ["command", "what it does"],
      commands.map(({ path, summary }) => [`[\`${path.join(" ")}\`](#${path.join("-")})`, summary]),
    ),
    "## Where the server is",
    "The first of these that is there: `--url` or `--sentinel`, `--context`, the environment's `REDIS_URL`, the current context (`context use`), `redis://localhost:6379`. " +
      "A password is never taken from the command line, where everybody on the machine could read it. It comes from `--password-file`, `--ask-password`, the context, or the environment's `REDIS_PASSWORD` (or `REDISCLI_AUTH`); that of the Sentinels from `REDIS_SENTINEL_PASSWORD`; a URL in `REDIS_URL` may hold one. `REDIS_USERNAME` names the ACL user.",
    "Contexts are kept in `redis-batch/config.json` below `XDG_CONFIG_HOME` or `~/.config`, or in the file that `REDIS_BATCH_CONFIG` names.",
    optionTable(CONNECTION_OPTIONS),
    "## For every command",
    optionTable(COMMON_OPTIONS),
    "Output goes to standard output, everything said about it to standard error. Colour is for terminals, `NO_COLOR` turns it off. In names and payloads whatever a terminal would act upon is shown as an escape such as `\\e`, in JSON as `\\u001b`.",
    "## Names",
    "Names of streams, groups and consumers are typed as tables show them: `\\xff` is a byte that is not UTF-8 (any two hexadecimal digits), and `\\\\` a backslash. Any other backslash is itself, so only one before another, or before `x` and two digits, has to be doubled. JSON has such bytes as `\\xff`, too, and all else as it is. A shell wants quotes around it: `redis-batch consumers orders 'billing\\xff'`.",
    "## Exit codes",
    table(
      ["code", "meaning"],
      Object.values(EXIT_CODES).map(({ code, meaning }) => [String(code), meaning]),
    ),
    `\`check\` ends as monitoring systems expect: ${Object.entries(CHECK_CODES)
      .map(([name, code]) => `${code} ${name}`)
      .join(", ")}.`,
    "## Commands",
    ...commands.map(commandSection),
  ].join("\n\n")}\n`;
}

function commandSection(spec: CommandSpec): string {
  const { path, summary, about = [], args, options, examples } = spec;
  return [
    `### ${path.join(" ")}`,
    `${summary}.`,
    "```text\n" + usageLine(spec) + "\n```",
    ...about,
    ...(args.length === 0
      ? []
      : [
          table(
            ["argument", ""],
            args.map((arg) => [`\`${argumentName(arg)}\``, argumentAbout(arg)]),
          ),
        ]),
    ...(Object.keys(options).length === 0 ? [] : [optionTable(options)]),
    "```sh\n" + examples.map(({ line, does }) => `# ${does}\n${line}`).join("\n") + "\n```",
  ].join("\n\n");
}

function optionTable(options: OptionSpecs): string {
  return table(
    ["option", ""],
    Object.entries(options).map(([name, spec]) => [`\`${optionName(name, spec)}\``, optionAbout(spec)]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
