/**
 * Looks now and then, while nothing new is read, whether the group's position is beyond the stream's last entry: then
 * nothing that is added is ever delivered, and everything looks as if there were nothing to do. Where the server does not
 * let this consumer look, it does without.
 */
import { compareEntryIds, Loop, PermissionError, RedisBatchError } from "@redis-batch/core/internal";
import type { WorkCounter } from "../liveness/work-counter.ts";
import type { Scope } from "../scope.ts";

export class PositionWatch {
  readonly #scope: Scope;
  readonly #work: WorkCounter;
  readonly #loop: Loop;
  /** How many messages had been read when it was last found ahead; `null`: it was not. */
  #aheadAfter: number | null = null;
  /** How many had been read at the last look. */
  #readBefore = 0;

  constructor(scope: Scope, { work }: { readonly work: WorkCounter }) {
    this.#scope = scope;
    this.#work = work;
    this.#loop = new Loop(scope.clock, {
      pass: () => this.#pass(),
      onError: (error) => {
        if (!RedisBatchError.is(error)) throw error;
        // Asking again would be refused again, and written down as an offence each time.
        return PermissionError.is(error) ? "end" : this.#lookInMs();
      },
    });
  }

  /** Whether it was ahead when last looked, and nothing new has come since. */
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
