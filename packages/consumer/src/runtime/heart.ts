/** Sends the consumer's heartbeat: others may not touch its messages while it beats, and its name is its own. */
import {
  type BeatDetails,
  type Clock,
  ConsumerNameInUseError,
  pause,
  RedisBatchError,
  type StreamClient,
} from "@redis-batch/core/internal";
import type { ConsumerEvent } from "../events.ts";
import { Bell } from "./bell.ts";
import { describeTrouble } from "./trouble.ts";

// So many beats may get lost before a name counts as free again.
const BEATS_OF_GRACE = 3;

export interface HeartContext {
  readonly policy: {
    readonly stream: string;
    readonly group: string;
    readonly name: string;
    readonly leaseMs: number;
    readonly beatMs: number;
  };
  readonly client: StreamClient;
  readonly incarnation: string;
  readonly clock: Clock;
  readonly report: (event: ConsumerEvent) => void;
  /** Called with an error that no repetition can mend. */
  readonly fail: (error: unknown) => void;
  /** What the beat tells beside what the registry needs. */
  readonly details: () => BeatDetails;
  /** Called with the number of messages that are pending for this consumer by the server's count, after each beat. */
  readonly onPending: (pending: number) => void;
}

export class Heart {
  readonly #context: HeartContext;
  readonly #bell: Bell;
  /** When the last beat was sent that was answered; `null`: the server may have forgotten it. */
  #knownSinceMs: number | null = null;
  #isStopped = false;
  #loop: Promise<void> | undefined;

  constructor(context: HeartContext) {
    this.#context = context;
    this.#bell = new Bell(context.clock);
  }

  /**
   * Takes the name: sends the first beat. Where another process was heard of under it just now, waits whether it goes
   * on; a process that crashed and was started again finds its own last beat.
   *
   * @throws {ConsumerNameInUseError} when it does
   */
  async join(signal: AbortSignal): Promise<void> {
    const { policy, clock } = this.#context;
    const freshMs = BEATS_OF_GRACE * policy.beatMs;
    const giveUpAtMs = clock.nowMs() + freshMs + policy.beatMs;
    for (;;) {
      const answer = await this.#beat({ freshMs });
      if (answer.kind === "ok") return;
      if (clock.nowMs() >= giveUpAtMs || signal.aborted) throw this.#nameInUse("another process beats under it");
      await pause(clock, policy.beatMs, signal);
    }
  }

  /**
   * Beats at once when the server may not know the name any more: nothing may be read under it then. When the process
   * died of what it read, that would be taken for a foreign consumer's, and nobody would dare to touch it for long.
   *
   * @throws {ConsumerNameInUseError} when another process has the name
   */
  async assure(): Promise<void> {
    const { policy, clock } = this.#context;
    if (this.#knownSinceMs !== null && clock.nowMs() - this.#knownSinceMs < policy.leaseMs / 2) return;
    const answer = await this.#beat(undefined);
    if (answer.kind !== "ok") throw this.#nameInUse("another process has taken it over");
  }

  /** The group is gone: the registry may be, too. */
  forget(): void {
    this.#knownSinceMs = null;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#bell.ring();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { policy, client, report, fail, onPending } = this.#context;
    while (!this.#isStopped) {
      await this.#bell.rest(policy.beatMs);
      if (this.#isStopped) return;
      try {
        const answer = await this.#beat(undefined);
        if (answer.kind !== "ok") return fail(this.#nameInUse("another process has taken it over"));
        const { consumers } = await client.xpendingSummary({ stream: policy.stream, group: policy.group });
        onPending(consumers.get(policy.name) ?? 0);
      } catch (error) {
        // A group that vanished is the reader's to create anew.
        if (!RedisBatchError.is(error) || (!error.retryable && error.code !== "NO_GROUP")) return fail(error);
        report({ type: "beatFailed", error: describeTrouble(error) });
      }
    }
  }

  async #beat(join: { readonly freshMs: number } | undefined): ReturnType<StreamClient["beat"]> {
    const { policy, client, incarnation, details, clock } = this.#context;
    const { stream, group, name, leaseMs } = policy;
    const sentAtMs = clock.nowMs();
    const answer = await client.beat({ stream, group, consumer: name, incarnation, leaseMs, join, details: details() });
    this.#knownSinceMs = sentAtMs;
    return answer;
  }

  #nameInUse(why: string): ConsumerNameInUseError {
    const { name } = this.#context.policy;
    return new ConsumerNameInUseError(
      `the consumer name ${JSON.stringify(name)} is in use: ${why}; give each process its own, or leave the name out`,
      { consumer: name },
    );
  }
}
