/** The group's registry of consumers: one field per consumer, written by its own heartbeat. */
import { type GroupPause, PAUSE_FIELD, parseGroupPause } from "../wire/group-pause.ts";
import { parseRateLimit, RATE_FIELD, type RateLimit } from "../wire/rate-limit.ts";
import { parseWorkCounters, type WorkCounters } from "./work-counters.ts";

/** A consumer, as its last heartbeat reported. */
export interface Registration {
  readonly consumer: string;
  /** Time of the last heartbeat by the server's clock, in milliseconds since 1970. */
  readonly atMs: number;
  /** How long its messages belong to it without a renewal, in milliseconds. */
  readonly leaseMs: number;
  readonly incarnation: string;
  /** Further details; `null` for those that it does not report. */
  readonly details: RegistrationDetails;
}

/** The details in a consumer's heartbeat that others use. */
export interface RegistrationDetails {
  /** `starting`, `running`, `draining` …: the state of its lifecycle. */
  readonly state: string | null;
  readonly host: string | null;
  readonly pid: number | null;
  /** The version of Redis Batch that it runs. */
  readonly version: string | null;
  /** The process pool that started it; `null` if none did. */
  readonly pool: string | null;
  /** Messages in a full batch. */
  readonly batchSize: number | null;
  /** The maximum number of messages it holds by design. */
  readonly capacity: number | null;
  /** Messages that its handlers are processing. */
  readonly inFlight: number | null;
  /** Batches that its handlers are processing for other streams. */
  readonly batchesElsewhere: number | null;
  /** The share of its handlers' time, since the heartbeat before, that went to other streams: 0 to 1. */
  readonly busyElsewhereRatio: number | null;
  /** Whether it must be the only consumer of the group, because it keeps messages in order for the whole group. */
  readonly isAlone: boolean | null;
  /** Messages deferred for a later attempt. */
  readonly deferred: number | null;
  /** Messages that wait behind an earlier one of their key, and the number of these keys. */
  readonly parked: number | null;
  readonly blockedKeys: number | null;
  /** Messages acknowledged since its start. */
  readonly acked: number | null;
  /** Total working time of its handlers on this stream since its start, in milliseconds. */
  readonly busyMs: number | null;
  /** Maximum number of handlers that run at the same time. */
  readonly concurrency: number | null;
  /** Handlers that could start a batch now. */
  readonly freePlaces: number | null;
  /** Age of the oldest open batch at that heartbeat, in milliseconds. */
  readonly oldestInFlightMs: number | null;
  /** Maximum time a batch may be open, in milliseconds: its `maxHoldMs`. */
  readonly holdLimitMs: number | null;
  /** Handlers that have been running for longer than that. */
  readonly handlersHung: number | null;
  /**
   * `open`, or the reason why intake is paused: `paused`, `group-paused`, `rate-limited`, `draining`, `deferred`, `key-blocked`, `backing-off`, `probing`, `held-too-long`, `unfit`,
   * `server-away`, `ahead-of-stream`; newer versions may add reasons.
   */
  readonly intake: string | null;
  /** The rate in its own options, as text, if it differs from the group's; `null`: it does not, or it reports none. */
  readonly otherRate: string | null;
  /** Whether it stops while the group is paused: those of earlier versions do not report that. */
  readonly obeysPause: boolean | null;
  /** Whether it failed on messages that another consumer then acknowledged. */
  readonly isUnfit: boolean | null;
  /** How long the oldest deliverable message had been waiting in this consumer at that heartbeat, in milliseconds. */
  readonly oldestOfferableMs: number | null;
  /** Messages dead-lettered since its start. */
  readonly deadLettered: number | null;
  /** Its counters since its start. */
  readonly work: WorkCounters | null;
  /** Where the stream has partitions: those that it owns. */
  readonly partitions: readonly number[] | null;
}

/** The consumers of a group by their names, and what holds for all of them. */
export interface Registry extends ReadonlyMap<string, Registration> {
  /** The pause of the group, which may be over: see `pauseInForce`. */
  readonly pause: GroupPause | null;
  /** The rate of the whole group; `null`: there is none. */
  readonly rateLimit: RateLimit | null;
}

/** The environment variable that gives workers the name of their process pool. */
export const POOL_VARIABLE = "REDIS_BATCH_POOL";

/** For a consumer that reports nothing. */
export const NO_DETAILS: RegistrationDetails = {
  ...{
    state: null,
    host: null,
    pid: null,
    pool: null,
    batchSize: null,
    capacity: null,
    inFlight: null,
    batchesElsewhere: null,
    busyElsewhereRatio: null,
    isAlone: null,
    deferred: null,
  },
  ...{ version: null, parked: null, blockedKeys: null },
  ...{ acked: null, busyMs: null, concurrency: null, freePlaces: null, oldestInFlightMs: null, holdLimitMs: null },
  ...{
    handlersHung: null,
    intake: null,
    otherRate: null,
    obeysPause: null,
    isUnfit: null,
    oldestOfferableMs: null,
    deadLettered: null,
    work: null,
  },
  partitions: null,
};

/**
 * Reads the registry. Fields written by another version of Redis Batch are read as far as possible; a field that cannot
 * be read at all is left out, so its consumer counts as not registered.
 */
export function decodeRegistry(fields: ReadonlyMap<string, string>): Registry {
  const registry = new Map<string, Registration>();
  for (const [consumer, text] of fields) {
    const reported = parseObject(text);
    const { at, leaseMs, incarnation } = reported;
    if (typeof at !== "number" || typeof leaseMs !== "number") continue;
    registry.set(consumer, {
      consumer,
      atMs: at,
      leaseMs,
      incarnation: typeof incarnation === "string" ? incarnation : "",
      details: readDetails(reported),
    });
  }
  return Object.assign(registry, {
    pause: parseGroupPause(fields.get(PAUSE_FIELD)),
    rateLimit: parseRateLimit(fields.get(RATE_FIELD)),
  });
}

/** Whether a consumer has sent a heartbeat within its own lease. */
export function isAlive(registered: Pick<Registration, "atMs" | "leaseMs"> | undefined, serverNowMs: number): boolean {
  return registered !== undefined && serverNowMs - registered.atMs <= registered.leaseMs;
}

function readDetails(reported: { readonly [name: string]: unknown }): RegistrationDetails {
  const text = (name: string): string | null => (typeof reported[name] === "string" ? reported[name] : null);
  const flag = (name: string): boolean | null => (typeof reported[name] === "boolean" ? reported[name] : null);
  const count = (name: string): number | null => {
    const value = reported[name];
    return typeof value === "number" && value >= 0 ? value : null;
  };
  return {
    state: text("state"),
    host: text("host"),
    pid: count("pid"),
    version: text("version"),
    parked: count("parked"),
    blockedKeys: count("blockedKeys"),
    pool: text("pool"),
    batchSize: count("batchSize"),
    capacity: count("capacity"),
    inFlight: count("inFlight"),
    batchesElsewhere: count("batchesElsewhere"),
    busyElsewhereRatio: count("busyElsewhereRatio"),
    isAlone: flag("isAlone"),
    deferred: count("deferred"),
    acked: count("acked"),
    busyMs: count("busyMs"),
    concurrency: count("concurrency"),
    freePlaces: count("freePlaces"),
    oldestInFlightMs: count("oldestInFlightMs"),
    holdLimitMs: count("holdLimitMs"),
    handlersHung: count("handlersHung"),
    intake: text("intake"),
    otherRate: text("otherRate"),
    obeysPause: flag("obeysPause"),
    isUnfit: flag("isUnfit"),
    oldestOfferableMs: count("oldestOfferableMs"),
    deadLettered: count("deadLettered"),
    work: parseWorkCounters(reported["work"]),
    partitions: parseNumbers(reported["partitions"]),
  };
}

function parseNumbers(value: unknown): readonly number[] | null {
  if (!Array.isArray(value)) return null;
  return value.filter((one): one is number => Number.isSafeInteger(one) && one >= 0);
}

function parseObject(text: string): { readonly [name: string]: unknown } {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as { readonly [name: string]: unknown }) : {};
  } catch {
    return {};
  }
}
