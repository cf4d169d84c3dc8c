/** Words for what applications throw, reject with, or give as a reason: anything at all, and looking at it may throw again. */

/** Longer words are cut: they end in events, logs and dead letters. */
const LONGEST = 4_000;

/** The words of an error, or of anything else that was thrown, in a bounded length. Never throws. */
export function messageOf(thrown: unknown): string {
  if (isThenable(thrown)) letGo(thrown);
  const words = attempt(() => (isError(thrown) ? wordsOf(thrown) : String(thrown)));
  return cut(words ?? "something that cannot be written as text");
}

/** The same after the error's name: `TypeError: it is not a function`. */
export function describeThrown(thrown: unknown): string {
  const name = attempt(() => (isError(thrown) ? textOf(thrown.name) : ""));
  return [cut(name ?? ""), messageOf(thrown)].filter((part) => part !== "").join(": ");
}

/** The thrown value itself where it is an error, and an error that has its words where it is not. */
export function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(messageOf(thrown));
}

/** Whether it is an error, of this realm or another one. */
export function isError(value: unknown): value is Error {
  return attempt(() => value instanceof Error || Object.prototype.toString.call(value) === "[object Error]") ?? false;
}

/** Whether it can be awaited, whatever class and realm it is of. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  try {
    return typeof (value as { readonly then?: unknown }).then === "function";
  } catch {
    return false;
  }
}

/** Lets go of what nobody waits for, so that its failure does not end the process. */
export function letGo(thenable: PromiseLike<unknown>): void {
  Promise.resolve(thenable).catch(() => {});
}

/** The same for those among the parts of a list or a record. Never throws. */
export function letGoOfParts(value: unknown): void {
  attempt(() => {
    for (const part of Object.values(Object(value) as object)) if (isThenable(part)) letGo(part);
  });
}

/** Where an error was thrown: the first line of its stack, without its message. `""` where that cannot be told. */
export function placeOf(thrown: unknown): string {
  return cut(attempt(() => (isError(thrown) ? framesOf(thrown).trim().split("\n", 1)[0] : "")) ?? "");
}

/** The lines of an error's stack below its message, as far as the two can be told apart. */
export function framesOf(error: Error): string {
  const frames = attempt(() => {
    // A stack starts with name and message; the message may have lines of its own.
    const { stack = "", message } = error;
    // Looking for a text of megabytes takes seconds.
    return message.length > LONGEST ? "" : stack.slice(stack.lastIndexOf(message) + message.length);
  });
  return frames !== undefined && /^\n {4}at /.test(frames) ? frames : "";
}

/** Several errors in one, as of a name that has several addresses, have no words of their own. */
function wordsOf(error: Error): string {
  const { message } = error;
  // What JSON.parse says of a text that is none quotes it.
  if (error.name === "SyntaxError") {
    return textOf(message)
      .replace(/[^ ]*".*"[^ ]* (?=is not valid JSON$)/s, "the text ")
      .replace(/^(JSON Parse error: [^"]*)".*/s, "$1in the text");
  }
  if (message !== "") return textOf(message);
  // By what it holds: its class may be another realm's.
  const errors: unknown = "errors" in error ? error.errors : undefined;
  if (Array.isArray(errors) && isError(errors[0])) return textOf(errors[0].message);
  return "";
}

/** What is a text by its type only: anybody can set it to something else. */
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
