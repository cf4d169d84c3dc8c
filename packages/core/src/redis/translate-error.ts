import {
  CommandError,
  type CommandOutcome,
  ConnectionError,
  NoGroupError,
  PermissionError,
  RedisBatchError,
  ServerStateError,
  UnsupportedServerError,
  WrongTypeError,
} from "../errors/errors.ts";
import { SCRIPTS } from "../lua/scripts.generated.ts";
import { isNeverSent, lastRedirection, refusedCommand } from "./ioredis-internals/error-details.ts";

/** Temporary refusals. The command was not executed. */
const PASSING_STATES = new Set([
  "ASK",
  "BUSY",
  "CLUSTERDOWN",
  "EXECABORT",
  "LOADING",
  "MASTERDOWN",
  "MISCONF",
  "MOVED",
  "NOREPLICAS",
  "OOM",
  "READONLY",
  "TRYAGAIN",
  "UNBLOCKED",
]);

/**
 * How servers, and proxies in front of them, refuse a command to every user: because it was renamed, is blocked, or does
 * not exist. They do not say which, so it is never taken as a sign of an old server.
 */
const NOT_OFFERED = [
  // Redis, Valkey, KeyDB, Dragonfly, Kvrocks, and compatible servers.
  /^(ERR )?unknown (redis |sub)?command/i,
  // Envoy, twemproxy, Redis Enterprise.
  /^(ERR )?(unsupport(ed)?|illegal|invalid) (sub)?command\b/i,
  // Older versions of Envoy.
  /^(ERR )?invalid request$/i,
  // Redis (DEBUG, MODULE), Codis, Predixy, Upstash, managed servers.
  /^(ERR )?.*\bcommand\b.*\b(not (allowed|available|permitted|support(ed)?)|unsupported|disabled|forbidden|denied|prohibited|blocked|restricted)\b/i,
  /^(ERR )?unsupported$/i,
];

/**
 * Turns an error of ioredis into an error of Redis Batch. The original is dropped if it carries the command's arguments,
 * because those contain payloads and passwords.
 *
 * @param isWritten whether the command was written to a socket, if known; otherwise the error text of ioredis decides
 */
export function translateError(error: unknown, command: string, isWritten?: boolean): RedisBatchError {
  if (RedisBatchError.is(error)) return error;
  if (!isError(error)) return translateConnection(new Error(String(error)), command, isWritten);
  if (refusedCommand(error) !== undefined) return translateReply(error.message, command);
  return translateConnection(error, command, isWritten);
}

/** Recognised by its message: in Jest, errors of Node itself, such as socket errors, belong to another realm than all other code. */
function isError(error: unknown): error is Error {
  return typeof (error as Partial<Error> | null | undefined)?.message === "string";
}

/** The command of a script that was refused: servers report the line. */
function calledByScript(operation: string, message: string): string | undefined {
  const line = /@user_script:(\d+)/.exec(message)?.[1];
  const script = Object.entries(SCRIPTS).find(([name]) => name === operation)?.[1];
  if (line === undefined || script === undefined) return undefined;
  return /redis\.call\('([A-Z]+)'/.exec(script.split("\n")[Number(line) - 1] ?? "")?.[1];
}

function translateReply(reply: string, command: string): RedisBatchError {
  // "ERR unknown command 'x', with args beginning with: …" would repeat the payload.
  const message = reply.replace(/, with args beginning with:.*$/s, "");
  const state = /^[A-Z]+/.exec(message)?.[0] ?? "ERR";
  // Not every server says which command of the script it refused.
  const called = calledByScript(command, message);
  const needs = called === undefined ? command : `${command} calls ${called}`;
  if (PASSING_STATES.has(state)) {
    return new ServerStateError(`${command}: the server is temporarily refusing commands; retry later: ${message}`, {
      state,
    });
  }
  if (state === "NOGROUP" || /^ERR (no such key|.* requires the key to exist)/.test(message)) {
    return new NoGroupError(`${command}: the stream or its consumer group does not exist: ${message}`);
  }
  if (state === "WRONGTYPE") {
    return new WrongTypeError(`${command}: the key holds something other than a stream: ${message}`);
  }
  // Inside a script there is no NOPERM: the first wording is Redis 7.0's, the second that of later servers.
  if (state === "NOPERM" || /^ERR (The user executing the script can't|ACL failure in script)/.test(message)) {
    return new PermissionError(
      `${needs}: this user lacks a right: ${message}. Grant it with ACL SETUSER (commands and key patterns)`,
      { command, refusal: "right" },
    );
  }
  if (state === "NOAUTH" || state === "WRONGPASS") {
    return new PermissionError(`${command}: the server rejects the user name or password: ${message}`, {
      command,
      refusal: "credentials",
    });
  }
  // Before Redis 7.0 a script cannot have flags, which many of our scripts need.
  if (/compiling script.* near '#'/.test(message)) {
    return new UnsupportedServerError(
      `${command}: the server does not support scripts with flags: ${message}. Upgrade to Redis 7.0 or Valkey 8, or later`,
    );
  }
  if (NOT_OFFERED.some((words) => words.test(message))) {
    return new PermissionError(
      `${needs}: the server, or a proxy in front of it, does not offer this command: ${message.replace(/\.$/, "")}. Allow it there ` +
        "(Redis: remove its rename-command; a proxy or a managed server: add it to the allowed commands)",
      { command, refusal: "command" },
    );
  }
  return new CommandError(`${command}: ${message}`, { command, reply: state });
}

function translateConnection(error: Error, command: string, isWritten: boolean | undefined): RedisBatchError {
  const redirected = lastRedirection(error.message);
  if (redirected !== undefined) {
    return new ServerStateError(`${command}: the cluster is being rearranged: ${error.message}`, { state: redirected });
  }
  const isSent = isWritten ?? !isNeverSent(error.message);
  const outcome: CommandOutcome = isSent ? "unknown" : "not-sent";
  return new ConnectionError(
    outcome === "not-sent"
      ? `${command}: not sent, there is no connection to the server`
      : `${command}: the connection failed before the reply came, so the server may or may not have executed it`,
    // Only the text: ioredis attaches the command with its payload to some errors.
    { outcome, cause: new Error(error.message) },
  );
}
