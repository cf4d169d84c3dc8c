/**
 * Looks now and then, while nothing new is read, whether the group's position is beyond the stream's last entry: then
 * nothing that is added is ever delivered, and everything looks as if there were nothing to do. Where the server does not
 * let this consumer look, it does without.
 */
import { compareEntryIds, PermissionError, RedisBatchError } from "@redis-batch/core/internal";
import type { WorkCounter } from "../liveness/work-counter.ts";
import type { Scope } from "../scope.ts";
import { WakeSignal } from "../wake-signal.ts";

export class PositionWatch {
  readonly #scope: Scope;
  readonly #work: WorkCounter;
  readonly #wake: WakeSignal;
  /** How many messages had been read when it was last found ahead; `null`: it was not. */
  #aheadAfter: number | null = null;
  /** How many had been read at the last look. */
  #readBefore = 0;
  #isStopped = false;
  #loop: Promise<void> | undefined;

  constructor(scope: Scope, { work }: { readonly work: WorkCounter }) {
    this.#scope = scope;
    this.#work = work;
    this.#wake = new WakeSignal(scope.clock);
  }

  /** Whether it was ahead when last looked, and nothing new has come since. */
  get isAheadOfStream(): boolean {
    return this.#aheadAfter === this.#work.work.delivered;
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
    const { policy, random } = this.#scope;
    while (!this.#isStopped) {
      await this.#wake.wait(policy.recoverEveryMs * (0.75 + 0.5 * random()));
      if (this.#isStopped) return;
      const { delivered } = this.#work.work;
      const hasRead = delivered > this.#readBefore;
      this.#readBefore = delivered;
      if (hasRead) continue;
      try {
        this.#note(await this.#look(), delivered);
      } catch (error) {
        if (!RedisBatchError.is(error)) throw error;
        // Asking again would be refused again, and written down as an offence each time.
        if (PermissionError.is(error)) return;
      }
    }
  }

  async #look(): Promise<boolean> {
    const { client, policy } = this.#scope;
    const { stream } = policy;
    const groups = await client.xinfoGroups({ stream });
    const { lastGeneratedId } = await client.xinfoStream({ stream });
    const group = groups.find(({ name }) => name === policy.group);
    return group !== undefined && compareEntryIds(group.lastDeliveredId, lastGeneratedId) > 0;
  }

  #note(isAhead: boolean, delivered: number): void {
    const wasAhead = this.isAheadOfStream;
    this.#aheadAfter = isAhead ? delivered : null;
    if (this.isAheadOfStream !== wasAhead) this.#scope.signals.intakeTouched.raise();
  }
}
