/** Completion scripts, made from the same table as everything else. */
import { optionsOf } from "./parse.ts";
import type { CommandSpec, OptionSpec } from "./spec.ts";

export type Shell = "bash" | "zsh" | "fish";

const PROGRAM = "redis-batch";

export function completionScript(shell: Shell, commands: readonly CommandSpec[]): string {
  switch (shell) {
    case "bash":
      return bashScript(commands);
    case "zsh":
      return zshScript(commands);
    case "fish":
      return fishScript(commands);
  }
}

/** What can follow the words so far, and what can follow an option. */
interface Branch {
  readonly path: readonly string[];
  readonly words: readonly string[];
  readonly choices: readonly { readonly option: string; readonly words: readonly string[] }[];
  readonly files: readonly string[];
  /** What each argument names on the server, in their order; `""` where it is anything else. */
  readonly nouns: readonly string[];
}

function branches(commands: readonly CommandSpec[]): Branch[] {
  const alone = commands.filter(({ path }) => path.length === 1).map(({ path }) => path[0]);
  const families = new Set(commands.map(({ path }) => path[0] ?? "").filter((word) => !alone.includes(word)));
  return [
    {
      path: [],
      words: [...new Set(commands.map(({ path }) => path[0] ?? "")), "help", "--help", "--version"],
      choices: [],
      files: [],
      nouns: [],
    },
    ...[...families].map((family) => ({
      path: [family],
      words: commands.filter(({ path }) => path[0] === family).map(({ path }) => path[1] ?? ""),
      ...{ choices: [], files: [], nouns: [] },
    })),
    ...commands.map((spec) => branchOf(spec, commands)),
  ];
}

function branchOf(spec: CommandSpec, commands: readonly CommandSpec[]): Branch {
  const options = Object.entries(optionsOf(spec));
  return {
    path: spec.path,
    words: [
      ...options.map(([name]) => `--${name}`),
      ...spec.args.flatMap(({ choices = [] }) => choices),
      ...commands
        .filter(({ path }) => path.length > 1 && spec.path.length === 1 && path[0] === spec.path[0])
        .map(({ path }) => path[1] ?? ""),
    ],
    choices: options.flatMap(([name, option]) =>
      option.kind === "choice" ? [{ option: `--${name}`, words: option.choices }] : [],
    ),
    files: options.flatMap(([name, option]) => (isFile(option) ? [`--${name}`] : [])),
    nouns: nounsOf(spec),
  };
}

/** Where names of the server, or of contexts, can be typed. */
function nounsOf({ path, args }: CommandSpec): readonly string[] {
  const nouns = args.map(({ name }) => {
    if (name === "stream" || name === "streams") return "stream";
    if (name === "group") return "group";
    return path[0] === "context" && path[1] !== "add" ? "context" : "";
  });
  return nouns.some((noun) => noun !== "") ? nouns : [];
}

const isFile = (option: OptionSpec): boolean => option.kind === "text" && option.value === "path";

/** Options that take a value, over all commands, long and short. */
function valueOptions(commands: readonly CommandSpec[]): string[] {
  const names = new Set<string>();
  for (const spec of commands) {
    for (const [name, option] of Object.entries(optionsOf(spec))) {
      if (option.kind === "flag") continue;
      names.add(`--${name}`);
      if (option.short !== undefined) names.add(`-${option.short}`);
    }
  }
  return [...names];
}

function bashScript(commands: readonly CommandSpec[]): string {
  const values = valueOptions(commands).join("|");
  return `# bash completion of ${PROGRAM}: source <(${PROGRAM} completion bash)
_redis_batch() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${values}) ((i++)) ;;
      -*) ;;
      *) path="$path \${COMP_WORDS[i]}" ;;
    esac
  done
  local words="" nouns="" depth=0
  case "$path " in
${cases(commands, (branch) => bashBranch(branch)).join("\n")}
  esac
  case $previous in
    --context) COMPREPLY=($(compgen -W "$(${PROGRAM} completion names context 2>/dev/null)" -- "$current")); return ;;
    ${values}) return ;;
  esac
  if [[ -n $nouns && $current != -* ]]; then
    local given=($path) kinds=($nouns)
    local kind=\${kinds[$((\${#given[@]} - depth))]}
    [[ -n $kind && $kind != - ]] && words="$words $(${PROGRAM} completion names $kind "\${given[@]:$depth:1}" 2>/dev/null)"
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _redis_batch ${PROGRAM}
`;
}

function bashBranch({ path, words, choices, files, nouns }: Branch): string[] {
  return [
    ...choices.map(
      ({ option, words: chosen }) =>
        `[[ $previous == ${option} ]] && COMPREPLY=($(compgen -W "${chosen.join(" ")}" -- "$current")) && return`,
    ),
    ...(files.length === 0
      ? []
      : [`case $previous in ${files.join("|")}) COMPREPLY=($(compgen -f -- "$current")); return ;; esac`]),
    `words="${words.join(" ")}"${nounsLine(nouns, path)}`,
  ];
}

/** Which of the words that follow are names; `-` stands for what is none. */
const nounsLine = (nouns: readonly string[], path: readonly string[]): string =>
  nouns.length === 0 ? "" : ` nouns="${nouns.map((noun) => noun || "-").join(" ")}" depth=${path.length}`;

function zshScript(commands: readonly CommandSpec[]): string {
  const values = valueOptions(commands).join("|");
  return `#compdef ${PROGRAM}
# zsh completion of ${PROGRAM}: source <(${PROGRAM} completion zsh), after compinit
_redis_batch() {
  local previous=\${words[CURRENT-1]} path_so_far="" i
  for ((i = 2; i < CURRENT; i++)); do
    case \${words[i]} in
      ${values}) ((i++)) ;;
      -*) ;;
      *) path_so_far="$path_so_far \${words[i]}" ;;
    esac
  done
  local -a possible given kinds
  local nouns="" depth=0 kind
  case "$path_so_far " in
${cases(commands, (branch) => zshBranch(branch)).join("\n")}
  esac
  case $previous in
    --context) possible=(\${(f)"$(${PROGRAM} completion names context 2>/dev/null)"}); compadd -a possible; return ;;
    ${values}) return ;;
  esac
  if [[ -n $nouns ]]; then
    given=(\${=path_so_far}) kinds=(\${=nouns})
    kind=\${kinds[$(($#given - depth + 1))]}
    [[ -n $kind && $kind != - ]] && possible+=(\${(f)"$(${PROGRAM} completion names $kind \${given[$((depth + 1))]} 2>/dev/null)"})
  fi
  compadd -a possible
}
compdef _redis_batch ${PROGRAM}
`;
}

function zshBranch({ path, words, choices, files, nouns }: Branch): string[] {
  return [
    ...choices.map(
      ({ option, words: chosen }) => `[[ $previous == ${option} ]] && { compadd ${chosen.join(" ")}; return }`,
    ),
    ...(files.length === 0 ? [] : [`case $previous in ${files.join("|")}) _files; return ;; esac`]),
    `possible=(${words.join(" ")})${nounsLine(nouns, path)}`,
  ];
}

/** One case per path, the longest first, so that the more specific pattern wins. */
function cases(commands: readonly CommandSpec[], body: (branch: Branch) => readonly string[]): string[] {
  return branches(commands)
    .toSorted((left, right) => right.path.length - left.path.length)
    .map((branch) => {
      // A family's own words come right after it; a command's options anywhere after it.
      const isCommand = commands.some(({ path }) => path.join(" ") === branch.path.join(" "));
      const pattern = branch.path.length === 0 ? '" "' : `" ${branch.path.join(" ")} "${isCommand ? "*" : ""}`;
      return `    ${pattern})\n${body(branch)
        .map((line) => `      ${line}`)
        .join("\n")}\n      ;;`;
    });
}

function fishScript(commands: readonly CommandSpec[]): string {
  const lines = [fishHead(commands)];
  for (const { path, words } of branches(commands).filter((branch) => branch.path.length < 2)) {
    const verbs = commands.filter((spec) => spec.path.length === 2 && spec.path[0] === path[0]);
    const offered = path.length === 0 ? words : verbs.map((spec) => spec.path[1] ?? "");
    for (const word of offered) {
      const about = commands.find((spec) => spec.path.join(" ") === [...path, word].join(" "))?.summary ?? "";
      lines.push(fishWord(`__redis_batch_at ${quote(path.join(" "))}`, word, about));
    }
  }
  for (const spec of commands) {
    const longer = commands.filter(
      ({ path }) => path.length === 2 && spec.path.length === 1 && path[0] === spec.path[0],
    );
    const isIn = [
      `__redis_batch_in ${quote(spec.path.join(" "))}`,
      ...longer.map(({ path }) => `not __redis_batch_in ${quote(path.join(" "))}`),
    ].join("; and ");
    for (const { choices = [] } of spec.args) {
      for (const choice of choices) lines.push(fishWord(isIn, choice, ""));
    }
    for (const [at, noun] of nounsOf(spec).entries()) {
      if (noun !== "") lines.push(fishNames(spec.path, at, noun));
    }
    for (const [name, option] of Object.entries(optionsOf(spec))) lines.push(fishOption(isIn, name, option));
  }
  return `${lines.join("\n")}\n`;
}

/** A word that only looks like a command, such as a stream called "group", is recognised by its position. */
function fishHead(commands: readonly CommandSpec[]): string {
  return `# fish completion of ${PROGRAM}: ${PROGRAM} completion fish | source
function __redis_batch_words
  set -l words
  set -l is_value no
  for word in (commandline -opc)[2..]
    if test $is_value = yes
      set is_value no
      continue
    end
    switch $word
      case ${valueOptions(commands).join(" ")}
        set is_value yes
      case '-*'
      case '*'
        set -a words $word
    end
  end
  echo (string join ' ' -- $words)
end
function __redis_batch_at
  test (__redis_batch_words) = "$argv[1]"
end
function __redis_batch_nth
  set -l words (__redis_batch_words)
  __redis_batch_in "$argv[1]"; and test (count (string split " " -- "$words")) = "$argv[2]"
end
function __redis_batch_in
  set -l words (__redis_batch_words)
  test "$words" = "$argv[1]"; or string match -q -- "$argv[1] *" "$words"
end
complete -c ${PROGRAM} -f`;
}

const fishWord = (condition: string, word: string, about: string): string =>
  `complete -c ${PROGRAM} -n ${quote(condition)} -a ${quote(word)} -d ${quote(about)}`;

/** Names of the server, where the command has this many words behind it. */
function fishNames(path: readonly string[], at: number, noun: string): string {
  const condition = `__redis_batch_nth ${quote(path.join(" "))} ${path.length + at}`;
  const stream = noun === "group" ? ` (__redis_batch_words | string split " ")[${path.length + 1}]` : "";
  const names = `(${PROGRAM} completion names ${noun}${stream} 2>/dev/null)`;
  return `complete -c ${PROGRAM} -n ${quote(condition)} -a ${quote(names)}`;
}

function fishOption(condition: string, name: string, option: OptionSpec): string {
  const value =
    option.kind === "flag"
      ? ""
      : option.kind === "choice"
        ? ` -xa ${quote(option.choices.join(" "))}`
        : isFile(option)
          ? " -rF"
          : name === "context"
            ? ` -xa ${quote(`(${PROGRAM} completion names context 2>/dev/null)`)}`
            : " -x";
  const short = option.short === undefined ? "" : ` -s ${option.short}`;
  return `complete -c ${PROGRAM} -n ${quote(condition)} -l ${name}${short}${value} -d ${quote(option.about)}`;
}

const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
