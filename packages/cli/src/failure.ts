import type { ErrorCode } from "@redis-batch/core";
import type { OptionSpecs } from "./command-line/spec.ts";
import { EXIT_CODES, type ExitName } from "./exit-codes.ts";
import { shellWord } from "./render/shell-word.ts";

/** An error of a command, for the person at the terminal: what happened, and what to do about it. */
export class Failure extends Error {
  readonly exit: ExitName;
  /** What to do: a sentence, or a command to type. */
  readonly fix: string | undefined;

  constructor(exit: ExitName, message: string, fix?: string) {
    super(message);
    this.name = "Failure";
    this.exit = exit;
    this.fix = fix;
  }
}

/** The reader of our output has closed it (`redis-batch … | head`). Not a failure. */
export class BrokenPipe extends Error {
  constructor() {
    super("the reader of the output has closed it");
    this.name = "BrokenPipe";
  }
}

export interface FailureReport {
  readonly code: number;
  readonly message: string;
  readonly fix: string | undefined;
}

const BY_CODE: Readonly<Record<ErrorCode, readonly [ExitName, fix?: string]>> = {
  CONFIG: ["usage"],
  USAGE: ["usage"],
  PAYLOAD: ["usage"],
  CONNECTION: [
    "unreachable",
    "check that the server is running at this address; --url, --context, REDIS_URL or the current context (`redis-batch context list`) set the address",
  ],
  SERVER_STATE: ["unreachable", "the server is temporarily refusing commands; retry later"],
  NO_GROUP: ["missing", "`redis-batch streams` and `redis-batch groups <stream>` list the streams and groups"],
  WRONG_TYPE: ["missing", "`redis-batch streams` lists the keys that are streams"],
  PERMISSION: ["denied"],
  CREDENTIALS: ["unreachable"],
  UNSUPPORTED_SERVER: ["failed"],
  COMMAND: ["failed"],
  REPLY_SHAPE: ["failed"],
  QUEUE_FULL: ["unreachable"],
  LEASE_LOST: ["failed"],
  PARTITION_LOST: ["failed"],
  NAME_IN_USE: ["refused", "leave out --name, or choose another name"],
};

/** What a command was called with, as far as a message names it. */
export interface Subject {
  /** The words of the command. */
  readonly path: readonly string[];
  readonly stream?: string | undefined;
  readonly group?: string | undefined;
}

/** The problems of a service's options, in words of the command line; `undefined` for any other error. */
export async function problemsAsFlags(error: unknown, flags: OptionSpecs): Promise<Failure | undefined> {
  const { ConfigError } = await import("@redis-batch/core");
  if (!ConfigError.is(error)) return undefined;
  const { nameFlags } = await import("./command-line/name-flags.ts");
  const problems = error.problems.map((problem) => nameFlags(problem, flags));
  // Without a flag in it, it is the name of what is wrong that helps.
  if (problems.join() === error.problems.join()) return undefined;
  return new Failure("usage", problems.join("; "));
}

/** Adds to an error what only the command knows: the stream and group that are missing, and its own help. */
export function explainFailure(error: unknown, { path, stream, group }: Subject): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "CONFIG" || (error instanceof Failure && error.exit === "usage" && error.fix === undefined)) {
    return new Failure("usage", (error as Error).message, `redis-batch ${path.join(" ")} --help`);
  }
  if (!(error instanceof Error) || code !== "NO_GROUP" || stream === undefined) return error;
  // The server's text may mean the stream, the group, or either of them.
  if (/ERR (?:no such key|.* requires the key to exist)/.test(error.message)) {
    return new Failure("missing", `there is no stream "${stream}"`, whatThereIs());
  }
  return new Failure("missing", missingGroup(error.message, stream, group), whatThereIs(stream));
}

function missingGroup(message: string, stream: string, group: string | undefined): string {
  if (group === undefined || !message.includes("NOGROUP")) return message;
  return message.includes("NOGROUP No such key")
    ? `there is no stream "${stream}", or it has no group "${group}"`
    : `the stream "${stream}" has no group "${group}"`;
}

/** How to list existing names: the streams, and the groups of this stream. */
export function whatThereIs(stream?: string): string {
  const streams = "`redis-batch streams` lists the streams";
  return stream === undefined
    ? streams
    : `${streams}, \`redis-batch groups ${shellWord(stream)}\` the groups of this one`;
}

/** The message, the fix and the exit code of an error. */
export function describeFailure(error: unknown): FailureReport {
  if (error instanceof Failure) return { code: EXIT_CODES[error.exit].code, message: error.message, fix: error.fix };
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const known = Object.entries(BY_CODE).find(([name]) => name === code)?.[1];
  if (known !== undefined) {
    const [exit, fix] = known;
    const { message } = error as Error;
    return { code: EXIT_CODES[exit].code, message, fix: code === "PERMISSION" ? permissionFix(error as Error) : fix };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: EXIT_CODES.failed.code, message, fix: typeof code === "string" ? LISTENING[code] : undefined };
}

/** By the operating system's error code. */
const LISTENING: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program uses this port: choose another --port, or 0 for any free one",
  EADDRNOTAVAIL: "--host must be an address of this machine; 0.0.0.0 stands for all of them",
};

const ROLES = "`redis-batch acl <role> <stream>` prints all the rules that a role needs";

/** Commands of streams, hashes, sorted sets, texts and scripts. Users have their keys in selectors, if `acl` printed their rules. */
const TAKES_KEY = /^(?:x|hget|hset|hdel|z|get$|set$|del$|unlink$|pttl$|eval)/;

/** What to grant, as far as the server reports it: it names commands (in scripts since Redis 7.2), but never a key. */
function permissionFix(error: Error): string {
  const { message } = error;
  if ("refusal" in error && error.refusal === "command") {
    return "`redis-batch doctor` lists the commands that the server does not offer, and what each is needed for";
  }
  // The message says how already.
  if ("rules" in error && Array.isArray(error.rules) && error.rules.length > 0) return ROLES;
  const [, user, command] = /(?:\bUser (\S+) has )?no permissions to run the '([^']+)' command/.exec(message) ?? [];
  if (command !== undefined) {
    const rule = TAKES_KEY.test(command) ? `"(~<key> +${command})"` : `+${command}`;
    return `\`ACL SETUSER ${user ?? "<user>"} ${rule}\` grants it; ${ROLES}`;
  }
  if (/access (?:a key|(?:at least )?one of the keys)/.test(message))
    return `grant the keys together with the command, such as "(~orders +xadd)"; ${ROLES}`;
  if (message.includes("lacks a right")) return `grant it; ${ROLES}`;
  if (message.includes("Sentinels have sentinelUsername"))
    return "set the Sentinels' own user and password: REDIS_SENTINEL_USERNAME, REDIS_SENTINEL_PASSWORD";
  return "set user and password: --user, REDIS_PASSWORD, --password-file, --ask-password";
}
