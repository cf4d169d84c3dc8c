/** Following batches through your code, for tracing and metrics. */
import { guardInstrumentation } from "@redis-batch/core/internal/service";
import type { Batch } from "./batch.ts";

/**
 * Follows the batches of a consumer, such as `openTelemetry()` of `@redis-batch/opentelemetry`. Its methods are called at once and
 * must not block. An error that they throw is a process warning and stops nothing.
 */
export interface ConsumerInstrumentation {
  /** A batch that is not empty is handed to your code. `undefined`: it is not followed. */
  batch(batch: Batch<unknown>, start: BatchStart): BatchTrace | undefined;
}

/** How a batch came about. */
export interface BatchStart {
  readonly group: string;
  /** The consumer's name within the group. */
  readonly consumer: string;
  /** How long the first of its messages has waited in this process, in milliseconds. */
  readonly waitedMs: number;
  /** Whether a call of `fetch()` gets it: then it belongs to what that call is part of. */
  readonly isFetched: boolean;
}

/** One batch that is followed. */
export interface BatchTrace {
  /** Calls the handler of `run`, once, in the context that what it does belongs to. Not called in `for await` and `fetch()`. */
  run(handler: () => void): void;
  /** The handler threw this, or did not finish in time. May be called more than once. */
  failed(error: unknown): void;
  /** The batch has ended. `batch.settled()` tells what becomes of its messages. */
  ended(): void;
}

/** Begins to follow a batch. Whatever the instrumentation does, the handler is called once and its errors are its own. */
export function followBatch(
  instrumentation: ConsumerInstrumentation,
  batch: Batch<unknown>,
  start: BatchStart,
): BatchTrace | undefined {
  const trace = guardInstrumentation(() => instrumentation.batch(batch, start));
  if (trace === undefined) return undefined;
  return {
    run(handler) {
      let isCalled = false;
      const once = (): void => {
        if (isCalled) return;
        isCalled = true;
        handler();
      };
      guardInstrumentation(() => trace.run(once));
      once();
    },
    failed: (error) => guardInstrumentation(() => trace.failed(error)),
    ended: () => guardInstrumentation(() => trace.ended()),
  };
}
