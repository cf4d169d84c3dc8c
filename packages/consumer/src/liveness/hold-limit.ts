/**
 * Enforces `maxHoldMs`: aborts the handler's signal, releases its messages, and counts in Redis that a handler hung on them. A
 * message on which a second handler hangs goes to the dead letters, so one message never takes down a group.
 */
import { CommandError, ConnectionError, type EntryId, LeaseLostError, PermissionError } from "@redis-batch/core";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import { RELEASED } from "@redis-batch/core/internal/names";
import { Loop } from "@redis-batch/core/internal/service";
import type { Message } from "../message.ts";
import type { Reserved } from "../scheduling/held-index.ts";
import type { OpenBatches } from "../scheduling/open-batches.ts";
import type { Scope } from "../scope.ts";
import type { DeadLetterWriter } from "../settling/dead-letter-writer.ts";
import type { SecondOpinions } from "../settling/second-opinions.ts";
import { SendQueue } from "../settling/send-queue.ts";

const LONGEST_REST_MS = 1_000;
const RESTS_A_LIMIT = 10;
const AT_ONCE = 100;
// Longer than it may take another consumer to get the message and hang on it.
const REMEMBERED_MS = 86_400_000;

export interface HoldLimitParts<Value> {
  readonly open: OpenBatches<Value>;
  readonly deadLetterWriter: DeadLetterWriter<Value>;
  readonly secondOpinions: SecondOpinions;
}

export class HoldLimit<Value> {
  readonly #scope: Scope<Value>;
  readonly #parts: HoldLimitParts<Value>;
  readonly #queue: SendQueue<Reserved>;
  /** The counts of messages that are being released, in case that is tried again. */
  readonly #counted = new Map<EntryId, number>();
  readonly #loop: Loop;

  constructor(scope: Scope<Value>, parts: HoldLimitParts<Value>) {
    const { held, report, fail, signals } = scope;
    this.#scope = scope;
    this.#parts = parts;
    this.#loop = new Loop(scope.clock, {
      pass: () => {
        this.#look();
        return this.#lookInMs;
      },
    });
    this.#queue = new SendQueue(scope, {
      limit: AT_ONCE,
      deliver: (hung) => this.#letGo(hung),
      onRetry: (hung, retryInMs, error) =>
        report({ type: "releaseFailed", messages: hung.length, retryInMs, error: toErrorInfo(error) }),
      onFailure: (hung, error) => {
        for (const one of hung) held.free(one);
        signals.pendingUnknown.raise();
        fail(error);
      },
    });
  }

  start(): void {
    this.#loop.start(this.#lookInMs);
  }

  stop(): void {
    void this.#loop.stop();
    this.#queue.stop();
  }

  get #lookInMs(): number {
    return Math.min(LONGEST_REST_MS, this.#scope.policy.maxHoldMs / RESTS_A_LIMIT);
  }

  #look(): void {
    const { policy, clock, report, signals } = this.#scope;
    const { open } = this.#parts;
    const hungBefore = open.hung;
    const why = new LeaseLostError(`the batch was not finished within maxHoldMs (${policy.maxHoldMs} ms)`, {
      entryId: "0-0",
      loss: "held-too-long",
    });
    const messages = open.hangBefore(clock.nowMs() - policy.maxHoldMs, why);
    if (open.hung === hungBefore) return;
    for (const message of messages) this.#giveUp(message);
    open.closeHungKeys();
    report({ type: "heldTooLong", messages: messages.length, hung: open.hung });
    signals.paceChanged.raise();
  }

  #giveUp(message: Message<Value>): void {
    const { held, order, policy, report } = this.#scope;
    const { id } = message;
    const reserved = held.letGo(message);
    order?.noteFailure(id);
    held.markLost(message);
    message.abort(
      new LeaseLostError(`message ${id} was held for longer than maxHoldMs (${policy.maxHoldMs} ms)`, {
        entryId: id,
        loss: "held-too-long",
      }),
    );
    report({ type: "outcomeTooLate", ids: [id], why: "held-too-long" });
    if (reserved !== undefined) this.#queue.add(reserved);
  }

  async #letGo(hung: readonly Reserved[]): Promise<void> {
    const { client, policy, held, report } = this.#scope;
    const { deadLetterWriter, secondOpinions } = this.#parts;
    const { stream, group, name } = policy;
    const ids = hung.map(({ id }) => id);
    const counts = await Promise.all(ids.map((id) => this.#count(id)));
    const again = ids.filter((_, at) => (counts[at] ?? 1) < 2);
    for (const id of ids.filter((_, at) => (counts[at] ?? 1) >= 2)) {
      deadLetterWriter.add({ id, message: undefined, why: "hung", text: `a handler hung on it a second time` });
    }
    if (again.length === 0) return this.#forget(ids);
    const move = { stream, group, from: name, to: RELEASED, offered: again, neverOffered: [] };
    secondOpinions.remember(again, "opinion");
    const { moved } = await client.release(move);
    for (const one of hung) if (again.includes(one.id)) held.free(one);
    if (moved > 0) report({ type: "released", messages: moved, why: "held-too-long" });
    this.#forget(ids);
  }

  #forget(ids: readonly EntryId[]): void {
    for (const id of ids) this.#counted.delete(id);
  }

  async #count(id: EntryId): Promise<number> {
    const { client, policy } = this.#scope;
    try {
      const { stream, group } = policy;
      const known = this.#counted.get(id);
      const count = known ?? (await client.countHang({ stream, group, id, rememberMs: REMEMBERED_MS }));
      this.#counted.set(id, count);
      return count;
    } catch (error) {
      // It may have been counted, and must not be counted twice.
      if (ConnectionError.is(error) && error.outcome === "unknown") {
        this.#counted.set(id, 1);
        return 1;
      }
      // Without the right to count, such a message is redelivered like one that fails.
      if (PermissionError.is(error) || CommandError.is(error)) return 1;
      throw error;
    }
  }
}
