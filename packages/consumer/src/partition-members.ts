/**
 * The consumers that share the partitions of a stream. They are in the group's registry in the slot of the logical stream's name,
 * where each says in its heartbeat which partitions it owns, and whether it can work.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { ConfigError, ConsumerNameInUseError, RedisBatchError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import {
  followHeartbeats,
  type HeartbeatDetails,
  type HeartbeatJoin,
  type HeartbeatResult,
  isAlive,
  NO_HEARTBEATS,
  POOL_VARIABLE,
} from "@redis-batch/core/internal/groups";
import { quoteName } from "@redis-batch/core/internal/names";
import type { Clock } from "@redis-batch/core/internal/service";
import type { Member } from "./decisions/assignment.ts";
import type { ConnectionWatch } from "./liveness/connection-watch.ts";
import { describeNameInUse, type RefusedHeartbeat, takeName } from "./liveness/take-name.ts";

export interface MembershipOptions {
  readonly policy: {
    /** The logical stream. */
    readonly stream: string;
    readonly group: string;
    readonly name: string;
    readonly leaseMs: number;
    readonly heartbeatMs: number;
    readonly rebalanceGraceMs: number;
    readonly orderBy: unknown;
  };
  readonly client: Pick<StreamClient, "heartbeat" | "registry" | "deregister">;
  readonly clock: Clock;
  readonly connection: ConnectionWatch;
  /** What it tells the others: which partitions it owns, whether it can work on them (`state` is `running`), and its work. */
  readonly describe: () => HeartbeatDetails & { readonly partitions: readonly number[]; readonly state: string };
}

export class Membership {
  readonly #options: MembershipOptions;
  readonly #incarnation: string = randomUUID();
  #heartbeats = NO_HEARTBEATS;
  /** Since when each has been there, by the local clock; those that were there first, for ever. */
  readonly #since = new Map<string, number>();
  #hasLooked = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /**
   * @throws {ConsumerNameInUseError} when another process sends heartbeats under the name
   * @throws {ConfigError} when this one has `orderBy` and living members do not, or the other way round
   */
  join(signal: AbortSignal): Promise<void> {
    const { clock, policy } = this.#options;
    const send = (join: HeartbeatJoin): Promise<HeartbeatResult> => this.#send(join);
    return takeName({ clock, policy, lastAtMs: null, send, refuse: (answer) => this.#refuse(answer), signal });
  }

  /**
   * Tells the others about this one.
   *
   * @throws {ConsumerNameInUseError} when another process has the name
   * @throws {ConfigError} when others that do not agree about `orderBy` took its place
   */
  async tell(): Promise<number> {
    const answer = await this.#send(undefined);
    if (answer.kind !== "ok") throw this.#refuse(answer);
    return answer.serverTimeMs;
  }

  /** The members that can work, this one among them if it can. */
  async look(): Promise<readonly Member[]> {
    const { client, clock, connection, policy } = this.#options;
    const { stream, group, rebalanceGraceMs } = policy;
    const serverNowMs = await this.tell();
    const registry = await client.registry({ stream, group });
    const nowMs = clock.nowMs();
    const followed = followHeartbeats(this.#heartbeats, registry, {
      ...{ serverNowMs, localNowMs: nowMs },
      steadySinceMs: connection.connectedSinceMs ?? nowMs,
    });
    this.#heartbeats = followed.watch;
    const members: Member[] = [];
    for (const [name, registration] of registry) {
      // By the server's clock, and where that has jumped, by our own.
      const isDead = !isAlive(registration, serverNowMs) || followed.verdicts.get(name)?.life === "dead";
      const { details } = registration;
      if (isDead || details.partitions === null || details.state !== "running") {
        this.#since.delete(name);
        continue;
      }
      const sinceMs = this.#since.get(name) ?? (this.#hasLooked ? nowMs : Number.NEGATIVE_INFINITY);
      this.#since.set(name, sinceMs);
      members.push({ name, owns: details.partitions, isNew: nowMs - sinceMs < rebalanceGraceMs });
    }
    this.#hasLooked = true;
    return members;
  }

  /** Leaves. Best effort: otherwise the others see that its heartbeats have stopped. */
  async leave(): Promise<void> {
    const { client, policy } = this.#options;
    const { stream, group, name: consumer } = policy;
    try {
      await client.deregister({ stream, group, consumer });
    } catch (error) {
      if (!RedisBatchError.is(error)) throw error;
    }
  }

  #send(join: HeartbeatJoin | undefined): Promise<HeartbeatResult> {
    const { client, policy, describe } = this.#options;
    const { stream, group, name: consumer, leaseMs } = policy;
    const details = { host: hostname(), pid: process.pid, pool: process.env[POOL_VARIABLE] ?? null, ...describe() };
    const incarnation = this.#incarnation;
    return client.heartbeat({ stream, group, consumer, incarnation, leaseMs, join, beside: this.#beside, details });
  }

  /** One that keeps no order would break that of the others as soon as it owns a partition. */
  get #beside(): "ordered" | "unordered" {
    return this.#options.policy.orderBy === undefined ? "unordered" : "ordered";
  }

  #refuse(answer: RefusedHeartbeat): ConsumerNameInUseError | ConfigError {
    const { name, group } = this.#options.policy;
    if (answer.kind === "occupied") {
      const others = answer.by.map(({ consumer }) => quoteName(consumer)).join(", ");
      return new ConfigError(`the consumer ${quoteName(name)}`, [
        this.#beside === "ordered"
          ? `it has orderBy, and others in the group ${quoteName(group)} do not (${others}): stop them first, or use another group`
          : `others in the group ${quoteName(group)} keep messages in order (${others}): set orderBy as they do, or use another group`,
      ]);
    }
    return new ConsumerNameInUseError(`the consumer name ${quoteName(name)} ${describeNameInUse(answer)}`, {
      consumer: name,
    });
  }
}
