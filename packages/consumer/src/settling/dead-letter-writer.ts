/** Moves messages into the group's dead letters, whole and with their history. */
import { CommandError, NoGroupError, RELEASED, toErrorInfo } from "@redis-batch/core/internal";
import type { DeadLetterReason } from "../events.ts";
import type { Peers } from "../liveness/peers.ts";
import type { Message } from "../message.ts";
import type { Scope } from "../scope.ts";
import { OutcomeSender } from "./outcome-sender.ts";
import type { SecondOpinions } from "./second-opinions.ts";
import { stillPending } from "./still-pending.ts";

// Each request copies a payload inside the server: a few at a time keep it answering others in between.
const AT_ONCE = 20;
const NO_GROUP = { kind: "not-owned" } as const;

/** A message on its way to the dead letters; `message` is there when the application was offered it. */
export interface DeadLetterRequest<Value> {
  readonly id: string;
  readonly message: Message<Value> | undefined;
  readonly why: DeadLetterReason;
  /** What the application said, or the error's text; `""` where there is none. */
  readonly text: string;
  /** Whether another consumer may try it once more instead, where there is one. */
  readonly isLastChance?: boolean;
}

export class DeadLetterWriter<Value> {
  readonly #scope: Scope<Value>;
  readonly #peers: Peers;
  readonly #secondOpinions: SecondOpinions;
  readonly #sender: OutcomeSender<DeadLetterRequest<Value>>;
  readonly #timers = new Set<() => void>();

  constructor(
    scope: Scope<Value>,
    { peers, secondOpinions }: { readonly peers: Peers; readonly secondOpinions: SecondOpinions },
  ) {
    const { held, report, fail } = scope;
    this.#scope = scope;
    this.#peers = peers;
    this.#secondOpinions = secondOpinions;
    this.#sender = new OutcomeSender(scope, {
      limit: AT_ONCE,
      deliver: async (requests, mayBeDone) => {
        // One by one: when one fails, those before it are over and are not repeated.
        for (const request of requests) if (this.#isOpen(request)) await this.#move(request, mayBeDone);
      },
      onRetry: (requests, retryInMs, error) =>
        report({ type: "deadLetterFailed", messages: requests.length, retryInMs, error: toErrorInfo(error) }),
      onFailure: (requests, error) => {
        // Nothing is lost: the messages stay pending, and come again when the cause is gone.
        for (const { message } of requests) if (message?.state === "deadLettering") held.withdrawOutcome(message);
        fail(error);
      },
    });
  }

  /** Messages on their way. */
  get pending(): number {
    return this.#sender.pending;
  }

  add(request: DeadLetterRequest<Value>): void {
    if (request.message !== undefined) this.#scope.held.beginDeadLetter(request.message);
    this.#sender.add(request);
  }

  /** Resolves when none of these messages is on its way any more. */
  whenThrough(messages: readonly Message<Value>[]): Promise<void> {
    return this.#sender.when(() => messages.every((message) => message.state !== "deadLettering"));
  }

  /** Resolves when none is on its way. */
  whenIdle(): Promise<void> {
    return this.#sender.when(() => this.#sender.pending === 0);
  }

  /** Gives up on what was not answered. */
  stop(): void {
    this.#sender.stop();
    for (const cancel of this.#timers) cancel();
  }

  #leavePending(request: DeadLetterRequest<Value>, error: CommandError): void {
    const { message } = request;
    const { held, policy, clock, report } = this.#scope;
    const retryInMs = policy.retry.capMs;
    const dueAtMs = clock.nowMs() + retryInMs;
    if (message === undefined) {
      const cancel = clock.setTimer(retryInMs, () => {
        this.#timers.delete(cancel);
        this.add(request);
      });
      this.#timers.add(cancel);
    } else {
      held.defer(message, { dueAtMs, ripeAtMs: dueAtMs, isSuspect: message.isSuspect, isUncounted: false });
    }
    report({ type: "deadLetterFailed", messages: 1, retryInMs, error: toErrorInfo(error) });
  }

  #isOpen({ id, message }: DeadLetterRequest<Value>): boolean {
    return message === undefined ? this.#scope.held.holds(id) : message.state === "deadLettering";
  }

  async #move(request: DeadLetterRequest<Value>, mayBeDone: boolean): Promise<void> {
    const { client, held, policy, report } = this.#scope;
    const { id, message, why, text } = request;
    const { stream, group, name } = policy;
    if (request.isLastChance === true && (await this.#giveSecondOpinion(request))) return;
    const outcome = await client
      .moveToDeadLetters({ stream, group, consumer: name, id, reason: why, error: text })
      .catch((error: unknown) => {
        // The reader creates the group again; nothing of it is anybody's.
        if (NoGroupError.is(error)) return NO_GROUP;
        // This one message cannot be moved: it has more fields than a script can take. The others can.
        if (!CommandError.is(error)) throw error;
        this.#leavePending(request, error);
        return undefined;
      });
    if (outcome === undefined) return;
    // After a reply that was lost, the first attempt may have done it.
    const isTooLate =
      outcome.kind === "not-owned" &&
      (outcome === NO_GROUP || !mayBeDone || (await stillPending(client, policy, [id])).has(id));
    held.endDeadLetter(id, message, isTooLate);
    if (outcome.kind === "trimmed") return report({ type: "pendingTrimmed", ids: [id] });
    if (isTooLate) return report({ type: "outcomeTooLate", ids: [id], why: "not-owned" });
    report({ type: "deadLettered", id, why, error: text });
  }

  /**
   * Gives a message that would be given up to the group instead, where another consumer is there to try it: that it fails
   * here, however often, may have its cause here → whether it was.
   */
  async #giveSecondOpinion({ id, message }: DeadLetterRequest<Value>): Promise<boolean> {
    const { client, held, policy, report } = this.#scope;
    const { stream, group, name } = policy;
    if (!(await this.#peers.look()).isAnyAlive) return false;
    // Before it is let go of: this consumer may be the next to look for something to do.
    this.#secondOpinions.remember([id], "opinion");
    const { moved } = await client.release({
      stream,
      group,
      from: name,
      to: RELEASED,
      offered: [id],
      neverOffered: [],
    });
    if (moved === 0) return false;
    const reserved = message === undefined ? undefined : held.letGo(message);
    if (reserved !== undefined) held.free(reserved);
    report({ type: "released", messages: 1, why: "second-opinion" });
    return true;
  }
}
