/** What ioredis attaches to its errors, and their texts. It documents neither. */

interface IoredisCommand {
  readonly name: string;
  readonly args: readonly unknown[];
}

/**
 * The error texts of ioredis for commands that it has certainly not written to a socket. ("Connection is closed." is not
 * one of them: ioredis uses it for commands in flight as well.)
 */
const NOT_SENT = /isn't writeable|isn't ready|Failed to refresh slots cache|None of startup nodes is available/;

/**
 * The command that the server refused with this error; `undefined` if the error is not a reply of the server. Neither the
 * name of ioredis' class nor the class itself can be used: minifiers change the name, and a client of the application may
 * come from another installed copy. Instead the command decides: both majors attach it to every refusal, and otherwise
 * only to commands that they give up when the connection closes.
 */
export function refusedCommand(error: unknown): IoredisCommand | undefined {
  const { command, message } = Object(error) as { readonly command?: IoredisCommand; readonly message?: unknown };
  return typeof message !== "string" || message === "Command aborted due to connection close" ? undefined : command;
}

/** Whether a command that failed with this text was certainly never written to a socket. */
export function isNeverSent(message: string): boolean {
  return NOT_SENT.test(message);
}

/** A Cluster gives up after a number of redirections and quotes the last: only a refusal proves that nothing was executed. */
export function lastRedirection(message: string): string | undefined {
  return /Last error: (?:[\w$]+: )?(MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/.exec(message)?.[1];
}

/** Why a Cluster could not reach the last of its nodes, if that is what failed. */
export function lastNodeErrorOf(error: unknown): unknown {
  return (Object(error) as { readonly lastNodeError?: unknown }).lastNodeError;
}

/** The same text for the same reason, however long ioredis waits before it tries again. */
export function withoutCountdown(message: string): string {
  return message.replace(/ Retrying from scratch after \d+ms\./, "");
}
