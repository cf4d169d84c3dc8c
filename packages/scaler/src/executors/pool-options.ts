import type { Observer } from "@redis-batch/core";
import { OptionsReader } from "@redis-batch/core/internal/options";
import type { ProcessPoolEvent } from "./pool-events.ts";

export interface ProcessPoolOptions {
  /** The program, as for `spawn`: a path, or a name on the PATH. No shell is involved. */
  readonly command: string;
  /** Its arguments. Default none. */
  readonly args?: readonly string[] | undefined;
  /** Added to this process's environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where it runs. Default: where this process does. */
  readonly cwd?: string | undefined;
  /** Workers there are at least, whatever is decided, 0 to 10,000. Default 0. */
  readonly minWorkers?: number | undefined;
  /**
   * Workers there are at most, whatever is decided, 1 to 10,000. Default 64: one machine has to carry them. Those on their
   * way out and those of other pools of the group are among them. The scaler's `maxConsumers` holds as well.
   */
  readonly maxWorkers?: number | undefined;
  /**
   * How long a worker may take from SIGTERM to its end before it is killed, in milliseconds, 100 to 86,400,000. Default
   * 60,000. Longer than the consumer's `drainMs`, or what it holds is left to be recovered after its lease.
   */
  readonly drainMs?: number | undefined;
  /** The wait before a worker that ended by itself is replaced, in milliseconds, 10 to 600,000. Default 1,000; it doubles. */
  readonly restartBaseMs?: number | undefined;
  /** No such wait is longer, in milliseconds, 10 to 3,600,000. Default 30,000. After a worker that lived longer it starts over. */
  readonly restartCapMs?: number | undefined;
  /** Receives every event. Without one, workers that had to be killed or end by themselves are process warnings. */
  readonly observer?: Observer<ProcessPoolEvent> | undefined;
}

/** The values of options that are not given. */
export const PROCESS_POOL_DEFAULTS = {
  minWorkers: 0,
  maxWorkers: 64,
  drainMs: 60_000,
  restartBaseMs: 1_000,
  restartCapMs: 30_000,
} as const;

/** The options, complete and checked. */
export interface ProcessPoolPolicy {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string | undefined;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly drainMs: number;
  readonly restart: { readonly baseMs: number; readonly capMs: number };
  readonly observer: Observer<ProcessPoolEvent> | undefined;
}

const KNOWN = [
  "command",
  "args",
  "env",
  "cwd",
  "observer",
  ...(Object.keys(PROCESS_POOL_DEFAULTS) as (keyof typeof PROCESS_POOL_DEFAULTS)[]),
] as const satisfies readonly (keyof ProcessPoolOptions)[];

/** @throws {ConfigError} naming every problem */
export function resolveProcessPoolOptions(options: ProcessPoolOptions): ProcessPoolPolicy {
  const reader = new OptionsReader("new ProcessPool", options, KNOWN);
  const integer = (name: keyof typeof PROCESS_POOL_DEFAULTS, min: number, max: number): number =>
    reader.integer(name, { default: PROCESS_POOL_DEFAULTS[name], min, max });
  const minWorkers = integer("minWorkers", 0, 10_000);
  const maxWorkers = integer("maxWorkers", 1, 10_000);
  if (maxWorkers < minWorkers) {
    reader.problem(`maxWorkers (${maxWorkers}) must not be below minWorkers (${minWorkers})`);
  }
  const baseMs = integer("restartBaseMs", 10, 600_000);
  const capMs = integer("restartCapMs", 10, 3_600_000);
  if (capMs < baseMs) reader.problem(`restartCapMs (${capMs}) must not be below restartBaseMs (${baseMs})`);
  const { args = [], env = {}, cwd } = options;
  const observer = reader.callable("observer", options.observer);
  if (!Array.isArray(args) || !args.every((arg) => typeof arg === "string")) reader.problem("args must be texts");
  return reader.finish({
    ...{ command: reader.text("command"), args: [...args], env: { ...env }, cwd, observer, minWorkers, maxWorkers },
    drainMs: integer("drainMs", 100, 86_400_000),
    restart: { baseMs, capMs },
  });
}
