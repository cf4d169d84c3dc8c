/** What the group's registry knows of its consumers: one field each, written by the consumer's own heartbeat. */
import { parseWorkCounters, type WorkCounters } from "./work-counters.ts";

/** A consumer as its last heartbeat told. */
export interface Registration {
  readonly consumer: string;
  /** When the last heartbeat was, by the server's clock, in milliseconds since 1970. */
  readonly atMs: number;
  /** How long its messages are its own without a renewal, in milliseconds. */
  readonly leaseMs: number;
  readonly incarnation: string;
  /** What it tells beside that; `null` where it does not. */
  readonly details: RegistrationDetails;
}

/** What a consumer tells of itself in its heartbeat, as far as others make use of it. */
export interface RegistrationDetails {
  /** `starting`, `running`, `draining` …: the state of its lifecycle. */
  readonly state: string | null;
  readonly host: string | null;
  readonly pid: number | null;
  /** The process pool whose worker it is; `null` for others. */
  readonly pool: string | null;
  /** Messages in a full batch. */
  readonly batchSize: number | null;
  /** The most messages it ever holds on purpose. */
  readonly capacity: number | null;
  /** Messages its handlers are at work on. */
  readonly inFlight: number | null;
  /** Messages deferred for a later attempt. */
  readonly deferred: number | null;
  /** Messages it has acknowledged since it began. */
  readonly acked: number | null;
  /** How long its handlers were at work since it began, all together, in milliseconds. */
  readonly busyMs: number | null;
  /** How many handlers may be at work at the same time. */
  readonly concurrency: number | null;
  /** Handlers that could begin a batch now. */
  readonly freePlaces: number | null;
  /** How long the oldest open batch had been open at that heartbeat, in milliseconds. */
  readonly oldestInFlightMs: number | null;
  /** How long a batch may be open at most, in milliseconds: its `maxHoldMs`. */
  readonly holdLimitMs: number | null;
  /** Handlers that have been at work for longer than that. */
  readonly handlersHung: number | null;
  /**
   * `open`, or what holds intake up: `paused`, `draining`, `deferred`, `backing-off`, `probing`, `held-too-long`, `unfit`,
   * `server-away`, `ahead-of-stream`; newer versions may know more.
   */
  readonly intake: string | null;
  /** Whether it failed on messages that another consumer then acknowledged. */
  readonly isUnfit: boolean | null;
  /** How long the oldest message that could be offered had waited for it at that heartbeat, in milliseconds. */
  readonly oldestOfferableMs: number | null;
  /** Messages it has dead-lettered since it began. */
  readonly deadLettered: number | null;
  /** What it has done since it began. */
  readonly work: WorkCounters | null;
}

/** The variable by which a process pool tells its workers whose they are. */
export const POOL_VARIABLE = "REDIS_BATCH_POOL";

/** Of a consumer that tells nothing. */
export const NO_DETAILS: RegistrationDetails = {
  ...{
    state: null,
    host: null,
    pid: null,
    pool: null,
    batchSize: null,
    capacity: null,
    inFlight: null,
    deferred: null,
  },
  ...{ acked: null, busyMs: null, concurrency: null, freePlaces: null, oldestInFlightMs: null, holdLimitMs: null },
  ...{ handlersHung: null, intake: null, isUnfit: null, oldestOfferableMs: null, deadLettered: null, work: null },
};

/**
 * Reads the registry. What another version of Redis Batch wrote is read as far as it is understood; a field that is not
 * understood at all is left out, which makes its consumer one that is not registered.
 */
export function decodeRegistry(fields: ReadonlyMap<string, string>): ReadonlyMap<string, Registration> {
  const registry = new Map<string, Registration>();
  for (const [consumer, text] of fields) {
    const told = parseObject(text);
    const { at, leaseMs, incarnation } = told;
    if (typeof at !== "number" || typeof leaseMs !== "number") continue;
    registry.set(consumer, {
      consumer,
      atMs: at,
      leaseMs,
      incarnation: typeof incarnation === "string" ? incarnation : "",
      details: readDetails(told),
    });
  }
  return registry;
}

/** Whether a consumer was heard of within its own lease. */
export function isAlive(registered: Pick<Registration, "atMs" | "leaseMs"> | undefined, serverNowMs: number): boolean {
  return registered !== undefined && serverNowMs - registered.atMs <= registered.leaseMs;
}

function readDetails(told: { readonly [name: string]: unknown }): RegistrationDetails {
  const text = (name: string): string | null => (typeof told[name] === "string" ? told[name] : null);
  const count = (name: string): number | null => {
    const value = told[name];
    return typeof value === "number" && value >= 0 ? value : null;
  };
  return {
    state: text("state"),
    host: text("host"),
    pid: count("pid"),
    pool: text("pool"),
    batchSize: count("batchSize"),
    capacity: count("capacity"),
    inFlight: count("inFlight"),
    deferred: count("deferred"),
    acked: count("acked"),
    busyMs: count("busyMs"),
    concurrency: count("concurrency"),
    freePlaces: count("freePlaces"),
    oldestInFlightMs: count("oldestInFlightMs"),
    holdLimitMs: count("holdLimitMs"),
    handlersHung: count("handlersHung"),
    intake: text("intake"),
    isUnfit: typeof told["isUnfit"] === "boolean" ? told["isUnfit"] : null,
    oldestOfferableMs: count("oldestOfferableMs"),
    deadLettered: count("deadLettered"),
    work: parseWorkCounters(told["work"]),
  };
}

function parseObject(text: string): { readonly [name: string]: unknown } {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as { readonly [name: string]: unknown }) : {};
  } catch {
    return {};
  }
}
