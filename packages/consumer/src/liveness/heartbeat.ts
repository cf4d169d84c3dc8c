/** Sends the consumer's heartbeat: others may not touch its messages while it sends them, and its name is its own. */
import {
  type Clock,
  ConsumerNameInUseError,
  type HeartbeatDetails,
  pause,
  quoteName,
  RedisBatchError,
  type StreamClient,
} from "@redis-batch/core/internal";
import type { ConsumerEvent } from "../events.ts";
import { toErrorInfo } from "../runtime/full-server.ts";
import { WakeSignal } from "../runtime/wake-signal.ts";
import type { ReservedNames } from "./reserved-names.ts";

// So many heartbeats may get lost before a name counts as free again.
const BEATS_OF_GRACE = 3;

export interface HeartbeatContext {
  readonly policy: {
    readonly stream: string;
    readonly group: string;
    readonly name: string;
    readonly leaseMs: number;
    readonly heartbeatMs: number;
  };
  readonly client: StreamClient;
  readonly reservedNames: ReservedNames;
  readonly incarnation: string;
  readonly clock: Clock;
  readonly report: (event: ConsumerEvent) => void;
  /** Called with an error that no repetition can help. */
  readonly fail: (error: unknown) => void;
  /** What the heartbeat tells beside what the registry needs. */
  readonly details: () => HeartbeatDetails;
  /** Called with the number of messages that are pending for this consumer by the server's count, after each heartbeat. */
  readonly onPending: (pending: number) => void;
  /** Called when it is not known any more what is pending for this consumer. */
  readonly compare: () => void;
  /** Called after each heartbeat. */
  readonly onHeartbeat: () => void;
}

export class Heartbeat {
  readonly #context: HeartbeatContext;
  readonly #wake: WakeSignal;
  /** When the last heartbeat was sent that was answered; `null`: the server may have forgotten it. */
  #knownSinceMs: number | null = null;
  #isStopped = false;
  #loop: Promise<void> | undefined;

  constructor(context: HeartbeatContext) {
    this.#context = context;
    this.#wake = new WakeSignal(context.clock);
  }

  /**
   * Takes the name: sends the first heartbeat. Where another process was heard of under it just now, waits whether it goes
   * on; a process that crashed and was started again finds its own last heartbeat. One that stands still is nobody's, whatever
   * its date: the server's clock may have jumped.
   *
   * @throws {ConsumerNameInUseError} when it does
   */
  async join(signal: AbortSignal): Promise<void> {
    const { policy, clock } = this.#context;
    const freshMs = BEATS_OF_GRACE * policy.heartbeatMs;
    let seen: { readonly atMs: number; readonly sinceMs: number } | undefined;
    const giveUpAtMs = clock.nowMs() + 2 * (freshMs + policy.heartbeatMs);
    for (;;) {
      const isStill = seen !== undefined && clock.nowMs() - seen.sinceMs >= freshMs;
      const answer = await this.#send(isStill && seen !== undefined ? { freshMs, seenAtMs: seen.atMs } : { freshMs });
      if (answer.kind === "ok") return;
      if (answer.kind === "in-use" && seen?.atMs !== answer.atMs) {
        // It has moved while it was watched: somebody is there.
        if (seen !== undefined) throw this.#nameInUse("another process sends heartbeats under it");
        seen = { atMs: answer.atMs, sinceMs: clock.nowMs() };
      }
      if (clock.nowMs() >= giveUpAtMs || signal.aborted)
        throw this.#nameInUse("another process sends heartbeats under it");
      await pause(clock, policy.heartbeatMs, signal);
    }
  }

  /**
   * Sends one at once when the server may not know the name any more: nothing may be read under it then. When the process
   * died of what it read, that would be taken for a foreign consumer's, and nobody would dare to touch it for long.
   *
   * @throws {ConsumerNameInUseError} when another process has the name
   */
  async assure(): Promise<void> {
    const { policy, clock } = this.#context;
    if (this.#knownSinceMs !== null && clock.nowMs() - this.#knownSinceMs < policy.leaseMs / 2) return;
    const answer = await this.#send(undefined);
    if (answer.kind !== "ok") throw this.#nameInUse("another process has taken it over");
  }

  /** The group is gone: the registry may be, too. */
  forget(): void {
    this.#knownSinceMs = null;
    this.#context.reservedNames.forget();
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
    const { policy, client, reservedNames, report, fail, onPending, onHeartbeat, compare } = this.#context;
    while (!this.#isStopped) {
      await this.#wake.wait(policy.heartbeatMs);
      if (this.#isStopped) return;
      try {
        const answer = await this.#send(undefined);
        if (answer.kind !== "ok") return fail(this.#nameInUse("another process has taken it over"));
        const { consumers } = await client.xpendingSummary({ stream: policy.stream, group: policy.group });
        onPending(consumers.get(policy.name) ?? 0);
        await reservedNames.keep(consumers);
        onHeartbeat();
      } catch (error) {
        if (!RedisBatchError.is(error) || (!error.retryable && error.code !== "NO_GROUP")) return fail(error);
        // A group that was deleted is the reader's to create again.
        if (error.code === "NO_GROUP") compare();
        report({ type: "heartbeatFailed", error: toErrorInfo(error) });
      }
    }
  }

  async #send(
    join: { readonly freshMs: number; readonly seenAtMs?: number } | undefined,
  ): ReturnType<StreamClient["heartbeat"]> {
    const { policy, client, incarnation, details, clock } = this.#context;
    const { stream, group, name, leaseMs } = policy;
    const sentAtMs = clock.nowMs();
    const answer = await client.heartbeat({
      stream,
      group,
      consumer: name,
      incarnation,
      leaseMs,
      join,
      details: details(),
    });
    this.#knownSinceMs = sentAtMs;
    return answer;
  }

  #nameInUse(why: string): ConsumerNameInUseError {
    const { name } = this.#context.policy;
    return new ConsumerNameInUseError(
      `the consumer name ${quoteName(name)} is in use: ${why}; give each process its own, or leave the name out`,
      { consumer: name },
    );
  }
}
