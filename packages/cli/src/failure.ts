import type { ErrorCode } from "@redis-batch/core";
import { EXIT_CODES, type ExitName } from "./exit-codes.ts";
import { shellWord } from "./render/shell-word.ts";

/** What a command found wrong, in words for the person at the terminal: what happened, and what to do about it. */
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

/** Nobody reads our output any more (`redis-batch … | head`). Not a failure. */
export class BrokenPipe extends Error {
  constructor() {
    super("the reader of the output has gone away");
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
    "is the server running, and is this its address? --url, --context, REDIS_URL and `redis-batch context list` say where to look",
  ],
  SERVER_STATE: ["unreachable", "the server says so for now; try again in a while"],
  NO_GROUP: ["missing", "`redis-batch streams` and `redis-batch groups <stream>` list what there is"],
  WRONG_TYPE: ["missing", "`redis-batch streams` lists the keys that are streams"],
  PERMISSION: ["denied"],
  UNSUPPORTED_SERVER: ["failed"],
  COMMAND: ["failed"],
  REPLY_SHAPE: ["failed"],
  QUEUE_FULL: ["unreachable"],
  LEASE_LOST: ["failed"],
  NAME_IN_USE: ["refused", "leave --name out, or choose another one"],
};

/** What a command was called with, as far as a message may name it. */
export interface Subject {
  /** The words of the command. */
  readonly path: readonly string[];
  readonly stream?: string | undefined;
  readonly group?: string | undefined;
}

/** Says of what the server did not find, and of what was called wrongly, more than an error by itself can know. */
export function explainFailure(error: unknown, { path, stream, group }: Subject): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "CONFIG" || (error instanceof Failure && error.exit === "usage" && error.fix === undefined)) {
    return new Failure("usage", (error as Error).message, `redis-batch ${path.join(" ")} --help`);
  }
  if (!(error instanceof Error) || code !== "NO_GROUP" || stream === undefined) return error;
  // In the server's words it may be the stream, its group, or either of both.
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

/** Where names that are there can be looked up: the streams, and the groups of this one. */
export function whatThereIs(stream?: string): string {
  const streams = "`redis-batch streams` lists the streams";
  return stream === undefined
    ? streams
    : `${streams}, \`redis-batch groups ${shellWord(stream)}\` the groups of this one`;
}

/** What is told of an error, and how the program ends by it. */
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

/** By the system's words for it. */
const LISTENING: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there: choose another --port, or 0 for any free one",
  EADDRNOTAVAIL: "--host must be an address of this machine; 0.0.0.0 stands for all of them",
};

const ROLES = "`redis-batch acl <role> <stream>` prints all that a role needs";

/** What to grant, as far as the server tells: it names commands, in scripts since Redis 7.2, and never a key. */
function permissionFix(error: Error): string {
  const { message } = error;
  if ("refusal" in error && error.refusal === "command") {
    return "`redis-batch doctor` says which commands are not offered, and what each is needed for";
  }
  const [, user, command] = /(?:\bUser (\S+) has )?no permissions to run the '([^']+)' command/.exec(message) ?? [];
  if (command !== undefined) return `\`ACL SETUSER ${user ?? "<user>"} +${command}\` grants it; ${ROLES}`;
  if (/access (?:a key|(?:at least )?one of the keys)/.test(message))
    return `grant the keys, as a pattern such as ~orders; ${ROLES}`;
  if (message.includes("lacks a right")) return `grant it; ${ROLES}`;
  return "set user and password: --user, REDIS_PASSWORD, --password-file, --ask-password";
}
