/** Describes values that applications throw, reject with, or give as a reason: these may be anything, and even reading them may throw. */

/** Longer texts are cut: they end up in events, logs and dead letters. */
const LONGEST = 4_000;

/** The message of an error, or of any other thrown value, limited in length. Never throws. */
export function messageOf(thrown: unknown): string {
  if (isThenable(thrown)) letGo(thrown);
  const words = attempt(() => (isError(thrown) ? wordsOf(thrown) : String(thrown)));
  return cut(words ?? "a value that cannot be written as text");
}

/** The same after the error's name: `TypeError: it is not a function`. */
export function describeThrown(thrown: unknown): string {
  const name = attempt(() => (isError(thrown) ? textOf(thrown.name) : ""));
  return [cut(name ?? ""), messageOf(thrown)].filter((part) => part !== "").join(": ");
}

/** The thrown value itself if it is an error; otherwise an error with its message. */
export function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(messageOf(thrown));
}

/** Whether it is an error, of this realm or another one. */
export function isError(value: unknown): value is Error {
  return attempt(() => value instanceof Error || Object.prototype.toString.call(value) === "[object Error]") ?? false;
}

/** Whether it can be awaited, whatever its class and realm. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  try {
    return typeof (value as { readonly then?: unknown }).then === "function";
  } catch {
    return false;
  }
}

/** Ignores a promise that nobody awaits, so that its rejection does not end the process. */
export function letGo(thenable: PromiseLike<unknown>): void {
  Promise.resolve(thenable).catch(() => {});
}

/** The same for promises in a list or a record. Never throws. */
export function letGoOfParts(value: unknown): void {
  attempt(() => {
    for (const part of Object.values(Object(value) as object)) if (isThenable(part)) letGo(part);
  });
}

/** Where an error was thrown: the first line of its stack, without its message. `""` if unknown. */
export function placeOf(thrown: unknown): string {
  return cut(attempt(() => (isError(thrown) ? framesOf(thrown).trim().split("\n", 1)[0] : "")) ?? "");
}

/** The lines of an error's stack below its message, as far as the two can be separated. */
export function framesOf(error: Error): string {
  const frames = attempt(() => {
    // A stack starts with name and message; the message may have several lines.
    const { stack = "", message } = error;
    // Searching for a text of megabytes takes seconds.
    return message.length > LONGEST ? "" : stack.slice(stack.lastIndexOf(message) + message.length);
  });
  return frames !== undefined && /^\n {4}at /.test(frames) ? frames : "";
}

/** An aggregate error, such as for a host name with several addresses, has no message of its own. */
function wordsOf(error: Error): string {
  const { message } = error;
  // JSON.parse quotes the invalid text in its message.
  if (error.name === "SyntaxError") {
    return textOf(message)
      .replace(/[^ ]*".*"[^ ]* (?=is not valid JSON$)/s, "the text ")
      .replace(/^(JSON Parse error: [^"]*)".*/s, "$1in the text");
  }
  if (message !== "") return textOf(message);
  // By its properties: its class may belong to another realm.
  const errors: unknown = "errors" in error ? error.errors : undefined;
  if (Array.isArray(errors) && isError(errors[0])) return textOf(errors[0].message);
  return "";
}

/** A property that is text only by its type: anybody can set it to something else. */
function textOf(text: unknown): string {
  return typeof text === "string" ? text : String(text);
}

function attempt<Result>(run: () => Result): Result | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
