/** Moves messages to the group's dead letters, complete and with their history. */
import { CommandError, NoGroupError } from "@redis-batch/core";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import { RELEASED } from "@redis-batch/core/internal/names";
import type { DeadLetterReason } from "../events.ts";
import type { Peers } from "../liveness/peers.ts";
import type { Message } from "../message.ts";
import type { Scope } from "../scope.ts";
import type { SecondOpinions } from "./second-opinions.ts";
import { SendQueue } from "./send-queue.ts";
import { stillPending } from "./still-pending.ts";

// Each request copies a payload inside the server. A few at a time leave it time to answer others.
const AT_ONCE = 20;
const NO_GROUP = { kind: "not-owned" } as const;

/** A message to be moved; `message` is its object, if it has one. */
export interface DeadLetterRequest<Value> {
  readonly id: string;
  readonly message: Message<Value> | undefined;
  readonly why: DeadLetterReason;
  /** The application's reason or the error's text; `""` if there is none. */
  readonly text: string;
  /** Whether another consumer may try it once more instead, if there is one. */
  readonly isLastChance?: boolean;
}

export class DeadLetterWriter<Value> {
  readonly #scope: Scope<Value>;
  readonly #peers: Peers;
  readonly #secondOpinions: SecondOpinions;
  readonly #queue: SendQueue<DeadLetterRequest<Value>>;
  readonly #timers = new Set<() => void>();

  constructor(
    scope: Scope<Value>,
    { peers, secondOpinions }: { readonly peers: Peers; readonly secondOpinions: SecondOpinions },
  ) {
    const { held, report, fail } = scope;
    this.#scope = scope;
    this.#peers = peers;
    this.#secondOpinions = secondOpinions;
    this.#queue = new SendQueue(scope, {
      limit: AT_ONCE,
      deliver: async (requests, mayBeDone) => {
        // One by one: if one fails, those before it have been moved and are not repeated.
        for (const request of requests) if (this.#isOpen(request)) await this.#move(request, mayBeDone);
      },
      onRetry: (requests, retryInMs, error) =>
        report({ type: "deadLetterFailed", messages: requests.length, retryInMs, error: toErrorInfo(error) }),
      onFailure: (requests, error) => {
        // Nothing is lost: the messages stay pending, and are redelivered when the cause is gone.
        for (const { message } of requests) if (message?.state === "deadLettering") held.withdrawOutcome(message);
        fail(error);
      },
    });
  }

  /** How many messages are being moved. */
  get pending(): number {
    return this.#queue.pending;
  }

  add(request: DeadLetterRequest<Value>): void {
    if (request.message !== undefined) this.#scope.held.beginDeadLetter(request.message);
    this.#queue.add(request);
  }

  /** Resolves when none of these messages is being moved any more. */
  whenThrough(messages: readonly Message<Value>[]): Promise<void> {
    return this.#queue.when(() => messages.every((message) => message.state !== "deadLettering"));
  }

  /** Resolves when no message is being moved. */
  whenIdle(): Promise<void> {
    return this.#queue.when(() => this.#queue.pending === 0);
  }

  /** Stops moving, and gives up on what has not been answered. */
  stop(): void {
    this.#queue.stop();
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
        // The reader recreates the group, in which nothing is pending.
        if (NoGroupError.is(error)) return NO_GROUP;
        // Only this message cannot be moved: it has more fields than a script can take.
        if (!CommandError.is(error)) throw error;
        this.#leavePending(request, error);
        return undefined;
      });
    if (outcome === undefined) return;
    // After a lost reply, the first attempt may have moved it.
    const isTooLate =
      outcome.kind === "not-owned" &&
      (outcome === NO_GROUP || !mayBeDone || (await stillPending(client, policy, [id])).has(id));
    held.endDeadLetter(id, message, isTooLate);
    if (outcome.kind === "trimmed") return report({ type: "pendingTrimmed", ids: [id] });
    if (isTooLate) return report({ type: "outcomeTooLate", ids: [id], why: "not-owned" });
    report({ type: "deadLettered", id, why, error: text });
  }

  /**
   * Releases the message instead, if another consumer is there to try it: the reason why it fails here may be this process
   * → whether it was released.
   */
  async #giveSecondOpinion({ id, message }: DeadLetterRequest<Value>): Promise<boolean> {
    const { client, held, policy, report } = this.#scope;
    const { stream, group, name } = policy;
    if (!(await this.#peers.ask()).isAnyAlive) return false;
    // Before the release: this consumer may be the next to look for released messages.
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
    if (message === undefined) held.dismiss(id);
    const reserved = message === undefined ? undefined : held.letGo(message);
    if (reserved !== undefined) held.free(reserved);
    report({ type: "released", messages: 1, why: "second-opinion" });
    return true;
  }
}
