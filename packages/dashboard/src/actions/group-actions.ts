/**
 * Pausing and resuming a group, and changing its rate. It is done at once, for nothing of it is lost; it is logged before and
 * after, with who did it, and what cannot be logged is not done.
 */
import { randomUUID } from "node:crypto";
import { NoGroupError, type RateLimit, type RedisSource, UsageError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { messageOf } from "@redis-batch/core/internal/errors";
import { describePause, pauseInForce, readPartitions } from "@redis-batch/core/internal/groups";
import { quoteName } from "@redis-batch/core/internal/names";
import { Monitor, type PauseResult } from "@redis-batch/monitor";
import { type GroupAct, groupCommand } from "../decisions/command-line.ts";
import type { DashboardEvent } from "../events.ts";
import type { AuditLog } from "./audit-log.ts";

/** What somebody wants to do with a group, and what they saw when they decided it. */
export type GroupWish = GroupAct & {
  readonly stream: string;
  readonly group: string;
  /** When the pause began that was shown; `null`: none was; `undefined`: it does not matter. Of a change of the rate, nothing. */
  readonly seenSinceMs: number | null | undefined;
};

export interface GroupActed {
  /** The pause that holds now; `null`: none does. */
  readonly pause: PauseResult | null;
  /** Of a change of the rate: what holds now, and what did before; `null`: none. */
  readonly rateLimit: RateLimit | null;
  readonly rateBefore: RateLimit | null;
  /** The command that does the same. */
  readonly command: string;
  /** It was done, but its end could not be logged; `null`: it was. */
  readonly error: string | null;
}

type Outcome = Pick<GroupActed, "pause" | "rateLimit" | "rateBefore">;

export interface GroupActionsDependencies {
  readonly client: StreamClient;
  readonly source: RedisSource;
  readonly audit: AuditLog;
  readonly report: (event: DashboardEvent) => void;
}

export class GroupActions {
  readonly #with: GroupActionsDependencies;

  constructor(dependencies: GroupActionsDependencies) {
    this.#with = dependencies;
  }

  /**
   * Does it, at once.
   *
   * @throws {UsageError} when somebody else has paused or resumed the group meanwhile, or the stream has partitions and no rate
   * @throws {NoGroupError} when the group is gone
   * @throws {RedisBatchError} when it cannot be done, or not be logged; then nothing was done
   */
  async act(wish: GroupWish, who: string): Promise<GroupActed> {
    const { stream, group, action } = wish;
    await this.#examine(wish);
    const command = groupCommand(wish, { stream, group, who });
    const about = { plan: randomUUID(), action };
    await this.#with.audit.write(wish, { ...about, what: "action", who, command });
    let failure: unknown;
    let done: Outcome | undefined;
    try {
      done = await this.#carryOut(wish, who);
    } catch (error) {
      failure = error;
    }
    const error = failure === undefined ? "" : messageOf(failure);
    const counts = done === undefined ? { done: "0", left: "1" } : { done: "1", left: "0" };
    const unlogged = await this.#with.audit.write(wish, { ...about, what: "actionEnded", ...counts, error }).then(
      () => null,
      (thrown: unknown) => `its end could not be logged: ${messageOf(thrown)}`,
    );
    this.#with.report({ type: "groupActed", who, action, stream, group, error: error === "" ? null : error });
    if (done === undefined) throw failure;
    return { ...done, command, error: unlogged };
  }

  /** Two people may have the same page open: the second must not undo unseen what the first has done. */
  async #examine({ stream, group, action, seenSinceMs }: GroupWish): Promise<void> {
    const { client } = this.#with;
    const partitions = await readPartitions(client, stream);
    if (partitions !== null && action === "rate") {
      throw new UsageError("a stream with partitions has no rate: it is kept for one stream");
    }
    const groups = await client.xinfoGroups({ stream: partitions?.[0] ?? stream });
    if (!groups.some(({ name }) => name === group)) {
      throw new NoGroupError(`the stream ${quoteName(stream)} has no group ${quoteName(group)} any more`);
    }
    if (action === "rate" || seenSinceMs === undefined) return;
    const [{ pause }, nowMs] = await Promise.all([client.registry({ stream, group }), client.time()]);
    const inForce = pauseInForce(pause, nowMs);
    if ((inForce?.sinceMs ?? null) === seenSinceMs) return;
    throw new UsageError(
      inForce === null
        ? "nothing was done: the pause that you saw is over"
        : `nothing was done: the group was ${describePause(inForce)} meanwhile`,
    );
  }

  async #carryOut(wish: GroupWish, who: string): Promise<Outcome> {
    const { stream, group } = wish;
    if (wish.action === "rate") {
      const rateBefore = await this.#with.client.setRate({ stream, group, limit: wish.limit });
      return { pause: null, rateLimit: wish.limit, rateBefore };
    }
    await using monitor = new Monitor({ redis: this.#with.source, stream, group, observer: () => {} });
    if (wish.action === "resume") {
      await monitor.resume();
      return { pause: null, rateLimit: null, rateBefore: null };
    }
    const { forMs, reason } = wish;
    return {
      pause: await monitor.pause({
        ...{ by: who, ...(forMs === null ? {} : { forMs }), ...(reason === null ? {} : { reason }) },
      }),
      ...{ rateLimit: null, rateBefore: null },
    };
  }
}
