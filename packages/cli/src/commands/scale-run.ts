import { onAbort } from "@redis-batch/core/internal/service";
import { type Decision, Scaler, type ScalerEvent } from "@redis-batch/scaler";
import type { Invocation, Run } from "../command.ts";
import { findServer, withClient } from "../connection/open.ts";
import { encodeJson } from "../render/escape.ts";
import type { scaleRun } from "../table/scale.ts";
import { noteIfMissing } from "./find-group.ts";
import { renderDecision, rowOf, scalingOf } from "./scale.ts";
import { checkExecutor, openExecutor } from "./scale-executor.ts";

type Call = Invocation<typeof scaleRun>;

export const run: Run<typeof scaleRun> = async (call) => {
  const { args, options, signal } = call;
  const { stream, group } = args;
  checkExecutor(call);
  await withClient(call, (client) => noteIfMissing(client, args, call.terminal));
  const { redis, connectTimeoutMs, observe, explain } = await findServer(call);
  const stop = new AbortController();
  const teller = new Teller(call, () => stop.abort());
  await using hands = await openExecutor(call);
  const { executor } = hands;
  const scaler = new Scaler({
    ...{ redis, stream, group, connectTimeoutMs },
    observer(event) {
      observe(event);
      teller.take(event);
    },
    ...scalingOf(options.strategy, options),
  });
  const stopListening = onAbort(signal, () => void scaler.close());
  try {
    await scaler.run({
      ...{ intervalMs: options.interval, signal: AbortSignal.any([signal, stop.signal]) },
      ...(executor === null ? {} : { executor, dryRun: options["dry-run"] }),
    });
  } catch (error) {
    throw explain(hands.explain(error));
  } finally {
    stopListening();
    await scaler.close();
  }
  if (teller.fault !== undefined) throw teller.fault;
};

/** Prints decisions and orders: for people only what is new, for programs everything. */
class Teller {
  fault: Error | undefined;
  readonly #call: Call;
  readonly #stop: () => void;
  #last = "";

  constructor(call: Call, stop: () => void) {
    this.#call = call;
    this.#stop = stop;
  }

  take(event: ScalerEvent): void {
    const { terminal } = this.#call;
    switch (event.type) {
      case "decided":
        return this.#decided(event.decision);
      case "scaled":
        return terminal.note(`ordered: ${event.from} -> ${event.to} (${event.executor})`);
      case "scaleFailed":
        return terminal.note(`the order failed: ${event.error.message}; the next decision tries again`, "warn");
      case "passFailed":
        return terminal.note(`no decision: ${event.error.message}; retrying`, "warn");
      case "leading":
        return terminal.note("this scaler leads");
      case "following":
        return terminal.note("another scaler leads; this one stands by");
      default:
        return;
    }
  }

  #decided(decision: Decision): void {
    const { options, terminal } = this.#call;
    const news = `${decision.direction} ${decision.desired} ${decision.binding}`;
    if (!options.json && news === this.#last) return;
    this.#last = news;
    terminal
      .write(options.json ? `${encodeJson(rowOf(decision))}\n` : renderDecision(decision))
      .catch((error: unknown) => {
        this.fault = error instanceof Error ? error : new Error("the decision could not be printed");
        this.#stop();
      });
  }
}
