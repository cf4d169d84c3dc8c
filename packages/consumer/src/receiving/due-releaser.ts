/**
 * Releases what was deferred, when its time has come by the server's clock. Every consumer looks each second, so that a
 * delay does not depend on any one of them; whoever has room takes what was released.
 */
import {
  type Clock,
  LATER,
  NoGroupError,
  PermissionError,
  type Random,
  RELEASED,
  RedisBatchError,
  type StreamClient,
} from "@redis-batch/core/internal";
import type { ConsumerEvent } from "../events.ts";
import { toErrorInfo } from "../runtime/full-server.ts";
import { WakeSignal } from "../runtime/wake-signal.ts";

const LOOK_EVERY_MS = 1_000;
const PAGE = 1_000;
// Whoever puts a message off writes its time down first, and moves it then: a round trip later, mostly.
const MOVED_WITHIN_MS = 3_000;

export interface DueReleaserContext {
  readonly policy: { readonly stream: string; readonly group: string };
  readonly client: Pick<StreamClient, "readDue" | "release" | "forgetDue" | "time">;
  readonly clock: Clock;
  readonly random: Random;
  readonly report: (event: ConsumerEvent) => void;
  /** Whether delays can be kept in Redis. */
  readonly canDefer: () => boolean;
  /** Called when the server does not let this consumer look. */
  readonly onForbidden: (error: PermissionError) => void;
  /** Called when something was released. */
  readonly onReleased: () => void;
}

export class DueReleaser {
  readonly #context: DueReleaserContext;
  readonly #wake: WakeSignal;
  #isStopped = false;
  #loop: Promise<void> | undefined;

  constructor(context: DueReleaserContext) {
    this.#context = context;
    this.#wake = new WakeSignal(context.clock);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake.notify();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { random, report, canDefer, onForbidden } = this.#context;
    let isMore = false;
    while (!this.#isStopped) {
      if (!isMore) await this.#wake.wait(LOOK_EVERY_MS * (0.75 + 0.25 * random()));
      if (this.#isStopped) return;
      try {
        isMore = canDefer() && (await this.#releaseDue());
      } catch (error) {
        isMore = false;
        if (!RedisBatchError.is(error)) throw error;
        // Asking again would be refused again, and written down as an offence each time.
        if (PermissionError.is(error)) onForbidden(error);
        else if (!this.#isStopped && !NoGroupError.is(error))
          report({ type: "recoveryFailed", error: toErrorInfo(error) });
      }
    }
  }

  /** Releases a page → whether there is more. */
  async #releaseDue(): Promise<boolean> {
    const { client, policy, report, onReleased } = this.#context;
    const { due } = await client.readDue({ ...policy, limit: PAGE });
    if (due.length === 0) return false;
    const ids = due.map(({ id }) => id);
    const { moved, trimmed } = await client.release({
      ...policy,
      from: LATER,
      to: RELEASED,
      offered: ids,
      neverOffered: [],
    });
    const areAllThere = moved + trimmed.length >= due.length;
    const overSinceMs = areAllThere ? Number.POSITIVE_INFINITY : (await client.time()) - MOVED_WITHIN_MS;
    // Last: until then somebody else finds it, should this process end here.
    await client.forgetDue({ ...policy, due: due.filter(({ atMs }) => atMs <= overSinceMs) });
    if (trimmed.length > 0) report({ type: "pendingTrimmed", ids: trimmed });
    if (moved > 0) {
      report({ type: "released", messages: moved, why: "due" });
      onReleased();
    }
    return due.length >= PAGE && areAllThere;
  }
}
