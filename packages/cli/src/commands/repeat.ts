/** Repeats what a command lists, for `--watch`. */
import { RedisBatchError } from "@redis-batch/core";
import { pause, systemClock } from "@redis-batch/core/internal/service";
import type { Invocation } from "../command.ts";
import type { ExitName } from "../exit-codes.ts";

type Call = Pick<Invocation, "options" | "terminal" | "signal"> & {
  readonly options: { readonly watch: boolean; readonly interval: number };
};

type Exit = ExitName | void;

/** Prints it once, or with `--watch` again and again until Ctrl-C: on a terminal in place. An outage does not end it. */
export async function repeat(call: Call, print: () => Promise<Exit>): Promise<Exit> {
  const { options, terminal, signal } = call;
  if (!options.watch) return print();
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    try {
      await terminal.repeated(options.json, print);
    } catch (error) {
      if (signal.aborted) return;
      if (isFirst || !RedisBatchError.is(error) || !error.retryable) throw error;
      terminal.note(`reading failed: ${error.message}; retrying`, "warn");
    }
    await pause(systemClock, options.interval, signal);
  }
}
