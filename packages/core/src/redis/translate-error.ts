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

/** Refusals that pass by themselves. The command was not executed. */
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
 * How servers, and proxies before them, refuse a command whoever sends it: one that was renamed away, one they do not
 * let through, one they have not. Which of these it is they do not tell, so it is never taken for an old server.
 */
const NOT_OFFERED = [
  // Redis, Valkey, KeyDB, Dragonfly, Kvrocks, and what imitates them.
  /^(ERR )?unknown (redis |sub)?command/i,
  // Envoy, twemproxy, Redis Enterprise.
  /^(ERR )?(unsupport(ed)?|illegal|invalid) (sub)?command\b/i,
  // Envoy, before it had words for it.
  /^(ERR )?invalid request$/i,
  // Redis (DEBUG, MODULE), Codis, Predixy, Upstash, managed servers.
  /^(ERR )?.*\bcommand\b.*\b(not (allowed|available|permitted|support(ed)?)|unsupported|disabled|forbidden|denied|prohibited|blocked|restricted)\b/i,
  /^(ERR )?unsupported$/i,
];

/**
 * Turns what ioredis threw into an error of Redis Batch. The original is dropped where it carries the command's
 * arguments, because those are payloads and passwords.
 *
 * @param isWritten whether the command was written to a socket, where that is known; else the words of ioredis decide
 */
export function translateError(error: unknown, command: string, isWritten?: boolean): RedisBatchError {
  if (RedisBatchError.is(error)) return error;
  if (!isError(error)) return translateConnection(new Error(String(error)), command, isWritten);
  if (refusedCommand(error) !== undefined) return translateReply(error.message, command);
  return translateConnection(error, command, isWritten);
}

/** By its message: in Jest what Node itself throws, a socket's errors among it, is of another realm than all other code. */
function isError(error: unknown): error is Error {
  return typeof (error as Partial<Error> | null | undefined)?.message === "string";
}

interface IoredisCommand {
  readonly name: string;
  readonly args: readonly unknown[];
}

/**
 * The command that the server refused with this error; `undefined` when it is no reply of the server. Neither the name of
 * ioredis' class nor the class itself can tell: a bundler that minifies changes the one, and a client that was lent has
 * a class of its own copy. What can is the command, which both majors hang on every refusal, and beside those only on
 * what they themselves give up when the connection closes.
 */
export function refusedCommand(error: unknown): IoredisCommand | undefined {
  if (!isError(error)) return undefined;
  const { command } = error as { readonly command?: IoredisCommand };
  return error.message === "Command aborted due to connection close" ? undefined : command;
}

/** Which command a script was at when it was refused: servers name the line. */
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
  // Not every server says which command of a script it was.
  const called = calledByScript(command, message);
  const needs = called === undefined ? command : `${command} calls ${called}`;
  if (PASSING_STATES.has(state)) {
    return new ServerStateError(`${command}: the server refuses for now: ${message}`, { state });
  }
  if (state === "NOGROUP" || /^ERR (no such key|.* requires the key to exist)/.test(message)) {
    return new NoGroupError(`${command}: the stream or its consumer group does not exist: ${message}`);
  }
  if (state === "WRONGTYPE") {
    return new WrongTypeError(`${command}: the key holds something other than a stream: ${message}`);
  }
  // What a script may not do has no NOPERM: the first is Redis 7.0's wording, the second that of later servers.
  if (state === "NOPERM" || /^ERR (The user executing the script can't|ACL failure in script)/.test(message)) {
    return new PermissionError(
      `${needs}: this user lacks a right: ${message}. Grant it with ACL SETUSER (commands and key patterns)`,
      { command, refusal: "right" },
    );
  }
  if (state === "NOAUTH" || state === "WRONGPASS") {
    return new PermissionError(`${command}: the server does not accept user and password: ${message}`, {
      command,
      refusal: "credentials",
    });
  }
  // Before Redis 7.0 a script cannot have flags, of which many of ours need one.
  if (/compiling script.* near '#'/.test(message)) {
    return new UnsupportedServerError(
      `${command}: the server runs no scripts with flags: ${message}. Redis 7.0 or Valkey 8, or later, is needed`,
    );
  }
  if (NOT_OFFERED.some((words) => words.test(message))) {
    return new PermissionError(
      `${needs}: the server, or a proxy before it, does not offer this command: ${message.replace(/\.$/, "")}. Allow it there ` +
        "(Redis: no rename-command for it; a proxy or a managed server: its list of commands)",
      { command, refusal: "command" },
    );
  }
  return new CommandError(`${command}: ${message}`, { command, reply: state });
}

// What ioredis says when it has certainly not written the command to a socket. ("Connection is closed." is not among
// it: ioredis says that of commands in flight as well.)
const NOT_SENT = /isn't writeable|isn't ready|Failed to refresh slots cache|None of startup nodes is available/;

function translateConnection(error: Error, command: string, isWritten: boolean | undefined): RedisBatchError {
  // A Cluster gives up after so many redirections and quotes the last: only a refusal proves that nothing was executed.
  const redirected = /Last error: (?:[\w$]+: )?(MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/.exec(error.message)?.[1];
  if (redirected !== undefined) {
    return new ServerStateError(`${command}: the cluster is being rearranged: ${error.message}`, { state: redirected });
  }
  const isSent = isWritten ?? !NOT_SENT.test(error.message);
  const outcome: CommandOutcome = isSent ? "unknown" : "not-sent";
  return new ConnectionError(
    outcome === "not-sent"
      ? `${command}: not sent, there is no connection to the server`
      : `${command}: the connection failed before the reply came, so the server may or may not have executed it`,
    // Only the text: ioredis hangs the command, payload and all, on some of its errors.
    { outcome, cause: new Error(error.message) },
  );
}
