/** The page of all commands, `docs/cli.md`. */
import { CHECK_CODES } from "../decisions/check.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import { COMMON_OPTIONS, CONNECTION_OPTIONS } from "./global-options.ts";
import { argumentAbout, argumentName, optionAbout, optionName, usageLine } from "./help.ts";
import type { CommandSpec, OptionSpecs } from "./spec.ts";

export function referencePage(commands: readonly CommandSpec[]): string {
  return `${[
    "# The command line",
    "`redis-batch`, from `@redis-batch/cli`. `pnpm generate` writes this page from the commands themselves.",
    table(
      ["command", "what it does"],
      commands.map(({ path, summary }) => [`[\`${path.join(" ")}\`](#${path.join("-")})`, summary]),
    ),
    "## Which server is used",
    "The first of these that is set: `--url` or `--sentinel`, `--context`, the environment's `REDIS_URL`, the current context (`context use`), `redis://localhost:6379`. " +
      "A password is never taken from the command line, where every user of the machine could read it. It comes from `--password-file`, `--ask-password`, the context, or the environment variable `REDIS_PASSWORD` (or `REDISCLI_AUTH`). The Sentinels' own user and password come from `REDIS_SENTINEL_USERNAME` and `REDIS_SENTINEL_PASSWORD`. A URL in `REDIS_URL` may contain a password. `REDIS_USERNAME` names the ACL user. [Connecting](connecting.md) has an example of each URL.",
    "Contexts are kept in `redis-batch/config.json` below `XDG_CONFIG_HOME` or `~/.config`, or in the file that `REDIS_BATCH_CONFIG` names.",
    optionTable(CONNECTION_OPTIONS),
    "## For every command",
    optionTable(COMMON_OPTIONS),
    "Results go to standard output, notes and errors to standard error. Terminals get colours; `NO_COLOR` turns them off. Control characters in names and payloads are shown as escapes such as `\\e`, in JSON as `\\u001b`.",
    "## Names",
    "Names of streams, groups and consumers are typed as tables show them: `\\xff` is a byte that is not UTF-8 (any two hexadecimal digits), and `\\\\` a backslash. Any other backslash stands for itself, so you only have to double one that comes before another backslash, or before `x` and two digits. JSON output also has such bytes as `\\xff`, and everything else unchanged. A comma of a stream's name is typed `\\x2c`, because commas stand between several streams. Quote such a name in a shell: `redis-batch consumers orders 'billing\\xff'`.",
    "## Exit codes",
    table(
      ["code", "meaning"],
      Object.values(EXIT_CODES).map(({ code, meaning }) => [String(code), meaning]),
    ),
    `\`check\` uses the exit codes that monitoring systems expect: ${Object.entries(CHECK_CODES)
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
