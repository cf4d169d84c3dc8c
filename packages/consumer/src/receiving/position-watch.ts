/**
 * Looks now and then, while nothing new is read, whether the group's position is beyond the stream's last entry: then
 * nothing that is added is ever delivered, and everything looks as if there were nothing to do. Where the server does not
 * let this consumer look, it does without.
 */
import {
  type Clock,
  compareEntryIds,
  PermissionError,
  type Random,
  RedisBatchError,
  type StreamClient,
} from "@redis-batch/core/internal";
import { WakeSignal } from "../runtime/wake-signal.ts";

export interface PositionWatchContext {
  readonly policy: { readonly stream: string; readonly group: string; readonly recoverEveryMs: number };
  readonly client: Pick<StreamClient, "xinfoStream" | "xinfoGroups">;
  readonly clock: Clock;
  readonly random: Random;
  /** Called when the answer is another one than before. */
  readonly onChange: () => void;
}

export class PositionWatch {
  readonly #context: PositionWatchContext;
  readonly #wake: WakeSignal;
  #isAhead = false;
  #hasRead = false;
  #isStopped = false;
  #loop: Promise<void> | undefined;

  constructor(context: PositionWatchContext) {
    this.#context = context;
    this.#wake = new WakeSignal(context.clock);
  }

  get isAheadOfStream(): boolean {
    return this.#isAhead;
  }

  /** New messages came, so all is well. */
  hasRead(): void {
    this.#hasRead = true;
    if (this.#isAhead) this.#become(false);
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
    const { policy, random } = this.#context;
    while (!this.#isStopped) {
      await this.#wake.wait(policy.recoverEveryMs * (0.75 + 0.5 * random()));
      if (this.#isStopped) return;
      const hasRead = this.#hasRead;
      this.#hasRead = false;
      if (hasRead) continue;
      try {
        this.#become(await this.#look());
      } catch (error) {
        if (!RedisBatchError.is(error)) throw error;
        // Asking again would be refused again, and written down as an offence each time.
        if (PermissionError.is(error)) return;
      }
    }
  }

  async #look(): Promise<boolean> {
    const { client, policy } = this.#context;
    const { stream } = policy;
    const groups = await client.xinfoGroups({ stream });
    const { lastGeneratedId } = await client.xinfoStream({ stream });
    const group = groups.find(({ name }) => name === policy.group);
    return group !== undefined && compareEntryIds(group.lastDeliveredId, lastGeneratedId) > 0;
  }

  #become(isAhead: boolean): void {
    if (isAhead === this.#isAhead) return;
    this.#isAhead = isAhead;
    this.#context.onChange();
  }
}
