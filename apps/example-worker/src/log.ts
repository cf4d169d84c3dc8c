export type LogLevel = "info" | "warn" | "error";

/** Writes one line about one event: names, ids, counts and milliseconds, never the contents of a message. */
export type Log = (level: LogLevel, event: string, fields?: Readonly<Record<string, unknown>>) => void;

/** A log of JSON lines, one per event, for tools that collect the process's output. */
export function createLog(write: (line: string) => void, now: () => Date = () => new Date()): Log {
  return (level, event, fields = {}) => {
    write(`${JSON.stringify({ at: now().toISOString(), level, event, ...fields }, errorsAsText)}\n`);
  };
}

// JSON.stringify writes an Error as {}.
function errorsAsText(_name: string, value: unknown): unknown {
  return value instanceof Error ? `${value.name}: ${value.message}` : value;
}
