/**
 * While nothing new is read, checks now and then whether the group's position is beyond the stream's last entry. If it is,
 * no new entry is ever delivered, and it looks as if there were nothing to do. Without the right to look, it does not check.
 */
import { compareEntryIds, PermissionError, RedisBatchError } from "@redis-batch/core";
import { Loop } from "@redis-batch/core/internal/service";
import type { WorkCounter } from "../liveness/work-counter.ts";
import type { Scope } from "../scope.ts";

export class PositionWatch {
  readonly #scope: Scope;
  readonly #work: WorkCounter;
  readonly #loop: Loop;
  /** How many messages had been read when the group was last found ahead; `null` if it was not ahead. */
  #aheadAfter: number | null = null;
  /** How many messages had been read at the last check. */
  #readBefore = 0;

  constructor(scope: Scope, { work }: { readonly work: WorkCounter }) {
    this.#scope = scope;
    this.#work = work;
    this.#loop = new Loop(scope.clock, {
      pass: () => this.#pass(),
      onError: (error) => {
        if (!RedisBatchError.is(error)) throw error;
        // It would be refused again, and the server would log it each time.
        return PermissionError.is(error) ? "end" : this.#lookInMs();
      },
    });
  }

  /** Whether the group was ahead at the last check, and nothing new has been read since. */
  get isAheadOfStream(): boolean {
    return this.#aheadAfter === this.#work.work.delivered;
  }

  start(): void {
    this.#loop.start(this.#lookInMs());
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  #lookInMs(): number {
    return this.#scope.policy.recoverEveryMs * (0.75 + 0.5 * this.#scope.random());
  }

  async #pass(): Promise<number> {
    const { delivered } = this.#work.work;
    const hasRead = delivered > this.#readBefore;
    this.#readBefore = delivered;
    if (!hasRead) this.#note(await this.#look(), delivered);
    return this.#lookInMs();
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
