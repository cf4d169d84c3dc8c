/** A batch of one scheduler, for tests without a consumer around it. */
import { onAbort } from "@redis-batch/core/internal/service";
import type { BatchSource, TakeOptions } from "../src/scheduling/callers.ts";
import type { Collected } from "../src/scheduling/waiting-calls.ts";

export function takeFrom<Value>(
  scheduler: BatchSource<Value>["scheduler"] & { decide(): void },
  { mode, calledAtMs, signal }: TakeOptions,
): Promise<Collected<Value>> {
  return new Promise((hand, giveUp) => {
    signal?.throwIfAborted();
    const withdraw = scheduler.submit({ mode, calledAtMs, hand, giveUp });
    onAbort(signal, (reason) => {
      withdraw();
      scheduler.decide();
      giveUp(reason);
    });
  });
}
