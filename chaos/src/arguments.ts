import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { FAULT_KINDS, type FaultKind } from "./plan.ts";
import type { RoundOptions } from "./run.ts";
import { TOPOLOGY_KINDS } from "./topology/find-master.ts";

/** The words of the command line. */
export interface Arguments {
  readonly minutes?: string;
  /** `standalone`, `sentinel` or `cluster`. */
  readonly topology?: string;
  /** Producers wait until all replicas have what they confirm. */
  readonly "wait-for-replicas"?: boolean;
  readonly seed?: string;
  readonly messages?: string;
  readonly producers?: string;
  readonly workers?: string;
  /** How many streams each worker reads. */
  readonly streams?: string;
  /** Number of partitions of the stream. The workers share them, and must keep the order of each key when workers come and go. */
  readonly partitions?: string;
  /** One worker, which keeps the messages of each order key in order. */
  readonly "order-by"?: boolean;
  readonly faults?: string;
  /** The mean time between faults, in milliseconds. */
  readonly every?: string;
  /** An installed checkout of an earlier commit: some workers and a monitor run from it. */
  readonly old?: string;
  /** A folder for the journals of each round. */
  readonly keep?: string;
  /** One long round, instead of several. */
  readonly soak?: boolean;
}

/** The defaults of a round. */
export const ROUND_DEFAULTS = {
  messages: 20_000,
  producers: 3,
  workers: 4,
  streams: 1,
  partitions: 0,
  isOrdered: false,
  lasting: 0,
  loadMs: 25_000,
  everyMs: 700,
  leaseMs: 2_000,
  maxDeliveries: 8,
  /** Of 100,000 messages. */
  shares: {
    retryOnce: 1_000,
    throwOnce: 300,
    reject: 500,
    poison: 40,
    killOnce: 20,
    killAlways: 5,
    hangOnce: 10,
    hang: 5,
    holdOnce: 10,
    blockOnce: 10,
    deferredLong: 200,
  },
} as const satisfies Partial<RoundOptions>;

/** How many workers of a soak survive it, so that their memory can be judged. */
const SOAK_LASTING = 1;
/**
 * The mean time between faults in a soak. The longer the server's file gets, the longer a restart takes; with faults as
 * frequent as in a short round, it would have no time to serve.
 */
const SOAK_EVERY_MS = 2_500;
const MINUTE_MS = 60_000;

export type ResolvedRound = Omit<RoundOptions, "progress"> & { readonly minutes: number };

/** The resolved arguments, or what is wrong with them. */
export function resolveRound(args: Arguments, chance: () => number = Math.random): ResolvedRound | string {
  const count = (name: keyof Arguments, fallback: number): number =>
    args[name] === undefined ? fallback : Number(args[name]);
  const minutes = count("minutes", 0);
  if (!(minutes >= 0)) return "--minutes must be a number, at least 0";
  if (args.soak && minutes === 0) return "--soak needs --minutes, above 0";
  const isOrdered = args["order-by"] === true || args.partitions !== undefined;
  const loadMs = args.soak ? minutes * MINUTE_MS : ROUND_DEFAULTS.loadMs;
  const resolved = {
    ...ROUND_DEFAULTS,
    loadMs,
    everyMs: count("every", args.soak ? SOAK_EVERY_MS : ROUND_DEFAULTS.everyMs),
    lasting: args.soak ? SOAK_LASTING : 0,
    // The one round of a soak has them in it.
    minutes: args.soak ? 0 : minutes,
    seed: count("seed", Math.floor(chance() * 1_000_000)),
    // At the default speed, however long.
    messages: count("messages", Math.ceil(ROUND_DEFAULTS.messages * (loadMs / ROUND_DEFAULTS.loadMs))),
    producers: count("producers", ROUND_DEFAULTS.producers),
    workers: count("workers", isOrdered && args.partitions === undefined ? 1 : ROUND_DEFAULTS.workers),
    streams: count("streams", ROUND_DEFAULTS.streams),
    partitions: count("partitions", ROUND_DEFAULTS.partitions),
    isOrdered,
  };
  for (const name of ["seed", "messages", "producers", "workers", "streams", "partitions"] as const) {
    const least = name === "seed" || (name === "partitions" && args.partitions === undefined) ? 0 : 1;
    if (!Number.isSafeInteger(resolved[name]) || resolved[name] < least) {
      return `--${name} must be a whole number, at least ${least}`;
    }
  }
  if (!(resolved.everyMs > 0)) return "--every must be a number, above 0";
  if (resolved.partitions > 0 && resolved.streams > 1) return "--partitions are those of one stream";
  if (isOrdered && resolved.partitions === 0 && resolved.workers !== 1)
    return "--order-by needs --workers 1: nobody promises an order among several";
  const oldSource = args.old === undefined ? undefined : pathToFileURL(`${resolve(args.old)}/chaos/src/`);
  if (oldSource !== undefined && !existsSync(new URL("worker-process.ts", oldSource))) {
    return `--old must be a checkout of this repository; there is no chaos/src/worker-process.ts in ${args.old}`;
  }
  const topology = TOPOLOGY_KINDS.find((kind) => kind === (args.topology ?? "standalone"));
  if (topology === undefined) return `--topology must be one of ${TOPOLOGY_KINDS.join(", ")}`;
  if (oldSource !== undefined && topology !== "standalone") return "--old needs --topology standalone";
  if (oldSource !== undefined && (isOrdered || resolved.streams > 1)) {
    return "--old goes neither with --order-by nor with --streams: an earlier version may know neither";
  }
  const all: readonly FaultKind[] = FAULT_KINDS[topology];
  const names = args.faults === undefined ? all : args.faults.split(",").filter((name) => name !== "");
  const unknown = names.filter((name) => !all.includes(name as FaultKind));
  if (unknown.length > 0) return `unknown fault ${unknown.join(", ")} (--topology ${topology})`;
  const waitForReplicas = args["wait-for-replicas"] === true;
  if (waitForReplicas && topology === "standalone") return "--wait-for-replicas needs --topology sentinel or cluster";
  return { ...resolved, topology, waitForReplicas, oldSource, keep: args.keep, kinds: names as readonly FaultKind[] };
}

export function usage(): string {
  return (
    "usage: pnpm chaos [--minutes n] [--seed n] [--messages n] [--producers n] [--workers n] [--streams n | --partitions n]\n" +
    "       [--order-by] [--faults a,b] [--topology standalone|sentinel|cluster] [--wait-for-replicas] [--every ms]\n" +
    "       [--old folder] [--keep folder] [--soak] [--json]\n" +
    TOPOLOGY_KINDS.map((topology) => `faults of ${topology}: ${FAULT_KINDS[topology].join(", ")}`).join("\n")
  );
}
