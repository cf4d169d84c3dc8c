/** Calls the handler of `run` with a batch, and ends the batch by the result. */
import { AsyncLocalStorage } from "node:async_hooks";
import { describeThrown } from "@redis-batch/core/internal/errors";
import { applyOutcome, type Handler } from "../handler.ts";
import type { Scope } from "../scope.ts";
import type { OpenBatch, OpenBatches } from "./open-batches.ts";

// Tells whether a call comes from inside a handler. Only on versions of Node where tracking this costs next to nothing.
const [NODE_MAJOR = "0"] = process.versions.node.split(".");
const CALLER = Number(NODE_MAJOR) >= 24 ? new AsyncLocalStorage<unknown>() : undefined;

export class HandlerCaller<Value> {
  readonly #scope: Scope<Value>;
  readonly #open: OpenBatches<Value>;
  /** Whether a handler is being called right now. */
  #isCalling = false;

  constructor(scope: Scope<Value>, { open }: { readonly open: OpenBatches<Value> }) {
    this.#scope = scope;
    this.#open = open;
  }

  /** Whether the caller is inside a handler. Known on Node 24 and later; on others only before the handler's first `await`. */
  get isInHandler(): boolean {
    return this.#isCalling || CALLER?.getStore() === this;
  }

  async handle(open: OpenBatch<Value>, handler: Handler<Value>): Promise<void> {
    const { batch, messages } = open;
    const { report } = this.#scope;
    try {
      applyOutcome(messages, await this.#call(handler, open));
      // The handler did not say that anything failed, so this does not count against the messages.
      const isSilent = messages.every((message) => message.state === "offered");
      if (isSilent) report({ type: "nothingSettled", batchId: batch.id, messages: batch.size });
      this.#open.end(open, "", !isSilent);
    } catch (error) {
      open.trace?.failed(error);
      report({ type: "handlerFailed", batchId: batch.id, messages: batch.size, error });
      this.#open.end(open, describeThrown(error));
    }
  }

  /** Never throws: a promise is rejected instead. */
  #call(handler: Handler<Value>, { batch, signal, trace }: OpenBatch<Value>): ReturnType<Handler<Value>> {
    let returned: ReturnType<Handler<Value>> = undefined;
    const call = (): void => {
      this.#isCalling = true;
      try {
        returned = CALLER === undefined ? handler(batch, { signal }) : CALLER.run(this, handler, batch, { signal });
      } catch (error) {
        returned = Promise.reject(error);
      } finally {
        this.#isCalling = false;
      }
    };
    if (trace === undefined) call();
    else trace.run(call);
    return returned;
  }
}
