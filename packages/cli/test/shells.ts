/** What a real shell offers while a command line is typed. */
import { execFileSync } from "node:child_process";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** Puts command lines to a shell, each with the word that is being typed as its last → what the shell offers. */
interface Driver {
  readonly program: readonly string[];
  /** What the shell runs; $SCRIPT is the file of the completion script, and the lines come one by one, words parted by tabs. */
  readonly code: string;
}

const DRIVERS: Readonly<Record<Shell, Driver>> = {
  bash: {
    program: ["bash", "-c"],
    code: `source "$SCRIPT"
      while IFS= read -r line; do
        COMP_WORDS=(); rest="$line"$'\\t'
        while [ -n "$rest" ]; do COMP_WORDS+=("\${rest%%$'\\t'*}"); rest="\${rest#*$'\\t'}"; done
        COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _redis_batch; echo "\${COMPREPLY[*]}"
      done`,
  },
  // Its own compadd works in its line editor alone; what it would be told is what counts.
  zsh: {
    program: ["zsh", "-f", "-c"],
    code: `compdef() { : }; _files() { offered+=(FILES) }
      compadd() { if [[ $1 == -a ]]; then offered+=(\${(P)2}); else offered+=("$@"); fi }
      source $SCRIPT
      while IFS= read -r line; do
        words=("\${(@ps:\\t:)line}"); CURRENT=$#words; offered=(); _redis_batch; echo "$offered"
      done`,
  },
  fish: {
    program: ["fish", "--no-config", "-c"],
    code: `source $SCRIPT
      while read -l line
        echo (complete -C (string replace -a \\t ' ' -- $line) | string replace -r '\\t.*' '')
      end`,
  },
};

/**
 * What the shell offers for each line.
 *
 * @param script the file of the completion script
 * @param lines words after the program, the last of which is being typed
 */
export function offeredBy(
  shell: Shell,
  script: string,
  lines: readonly (readonly string[])[],
  env: NodeJS.ProcessEnv = process.env,
): readonly (readonly string[])[] {
  const { program, code } = DRIVERS[shell];
  const [file = "", ...args] = program;
  const input = lines.map((words) => `${["redis-batch", ...words].join("\t")}\n`).join("");
  const said = execFileSync(file, [...args, code], {
    ...{ env: { ...env, SCRIPT: script }, input, encoding: "utf8", timeout: 250_000 },
    // fish complains there of a program that is not on the PATH.
    stdio: ["pipe", "pipe", "ignore"],
  });
  // The end of the last line is not another one.
  return said
    .replace(/\n$/, "")
    .split("\n")
    .map((answer) => answer.split(" ").filter((word) => word !== ""));
}
