import { eventually } from "../time/eventually.ts";
import type { ServerOptions } from "./own-server.ts";
import type { RedisServer } from "./redis-server.ts";
import { assemble, type ServerGroup } from "./server-group.ts";

export interface ClusterOptions extends Pick<ServerOptions, "version" | "source" | "persistence" | "config"> {
  /** How many nodes share the slots, 3 by default. */
  readonly primaries?: number;
  /** How many replicas each of them has, none by default. */
  readonly replicasEach?: number;
  /**
   * How long a silent node is still taken to be alive. By default 800 ms with replicas; without them 5 s, because then it
   * only makes the cluster refuse commands while a busy machine holds a node up.
   */
  readonly nodeTimeoutMs?: number;
}

/** The nodes of one cluster, all 16,384 slots served. */
export interface ClusterTopology extends AsyncDisposable {
  readonly nodes: readonly RedisServer[];
  /** The nodes that owned the slots at the start. */
  readonly primaries: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];
  /** Start-up nodes for ioredis. */
  readonly startupNodes: { host: string; port: number }[];
  stop(): Promise<void>;
}

const SLOTS = 16_384;
const START_LIMIT_MS = 30_000;

/**
 * Starts a cluster that takes commands. A fresh primary turns writable only after 2 s (the server's own delay): start
 * one cluster a file, and keep tests apart by their keys.
 */
export function startCluster(options: ClusterOptions = {}): Promise<ClusterTopology> {
  return assemble((group) => buildCluster(group, options));
}

async function buildCluster(group: ServerGroup, options: ClusterOptions): Promise<ClusterTopology> {
  const { primaries: primaryCount = 3, replicasEach = 0, ...rest } = options;
  const { nodeTimeoutMs = replicasEach > 0 ? 800 : 5_000, ...settings } = rest;
  const { config: more = [], ...common } = settings;
  const config = [
    ...more,
    "cluster-enabled yes",
    `cluster-node-timeout ${nodeTimeoutMs}`,
    "cluster-require-full-coverage yes",
    "cluster-replica-validity-factor 0",
  ];
  const count = primaryCount * (1 + replicasEach);
  const nodes = await group.start(Array.from({ length: count }, () => ({ ...common, config })));
  const primaries = nodes.slice(0, primaryCount);
  const replicas = nodes.slice(primaryCount);
  await assignSlots(primaries);
  await introduce(nodes);
  await assignReplicas(primaries, replicas);
  const limit = { timeoutMs: START_LIMIT_MS };
  await eventually("every node sees the whole cluster", () => allSeeCluster(nodes), limit);
  if (replicasEach > 0)
    await eventually("every replica follows", () => allLinked(primaries, replicas, replicasEach), limit);
  const stop = () => group.stop();
  const startupNodes = nodes.map(({ host, port }) => ({ host, port }));
  return { nodes, primaries, replicas, startupNodes, stop, [Symbol.asyncDispose]: stop };
}

/** A slot on its way from one node to another: each node may have some of its keys. */
export interface SlotMove extends AsyncDisposable {
  /** Moves one key with its value. */
  moveKey(key: string): Promise<void>;
  /** Gives the slot to the other node. The remaining keys must have been moved. */
  finish(): Promise<void>;
}

/** Begins to move the slot of a key in the classic way, one key after the other. Disposing gives up, and moves nothing back. */
export async function beginSlotMove(key: string, from: RedisServer, to: RedisServer): Promise<SlotMove> {
  const slot = Number(await from.command("CLUSTER", "KEYSLOT", key));
  const idOf = async (node: RedisServer) => String(await node.command("CLUSTER", "MYID"));
  const [fromId, toId] = await Promise.all([idOf(from), idOf(to)]);
  await to.command("CLUSTER", "SETSLOT", slot, "IMPORTING", fromId);
  await from.command("CLUSTER", "SETSLOT", slot, "MIGRATING", toId);
  let isOver = false;
  return {
    async moveKey(name) {
      await from.command("MIGRATE", to.host, to.port, name, 0, 5_000);
    },
    async finish() {
      isOver = true;
      for (const node of [to, from]) await node.command("CLUSTER", "SETSLOT", slot, "NODE", toId);
    },
    async [Symbol.asyncDispose]() {
      if (isOver) return;
      for (const node of [to, from]) await node.command("CLUSTER", "SETSLOT", slot, "STABLE");
    },
  };
}

// What `redis-cli --cluster create` does, without a second program and its fixed sleeps.

async function assignSlots(primaries: readonly RedisServer[]): Promise<void> {
  const boundary = (index: number) => Math.round((SLOTS * index) / primaries.length);
  await Promise.all(
    primaries.map((node, index) => node.command("CLUSTER", "ADDSLOTSRANGE", boundary(index), boundary(index + 1) - 1)),
  );
}

async function introduce(nodes: readonly RedisServer[]): Promise<void> {
  // Two fresh nodes with the same epoch would first have to settle which of them moves on.
  await Promise.all(nodes.map((node, index) => node.command("CLUSTER", "SET-CONFIG-EPOCH", index + 1)));
  const [first, ...others] = nodes;
  if (first === undefined) return;
  await Promise.all(others.map(({ host, port }) => first.command("CLUSTER", "MEET", host, port)));
}

async function assignReplicas(primaries: readonly RedisServer[], replicas: readonly RedisServer[]): Promise<void> {
  const ids = await Promise.all(primaries.map(async (primary) => String(await primary.command("CLUSTER", "MYID"))));
  await Promise.all(
    replicas.map((replica, index) => {
      const id = ids[index % ids.length] ?? "";
      // Refused until the news of that primary has reached the replica.
      return eventually("a replica takes its primary", () => replica.command("CLUSTER", "REPLICATE", id));
    }),
  );
}

async function allSeeCluster(nodes: readonly RedisServer[]): Promise<boolean> {
  const reports = await Promise.all(nodes.map(async (node) => String(await node.command("CLUSTER", "INFO"))));
  return reports.every(
    (report) => report.includes("cluster_state:ok") && report.includes(`cluster_known_nodes:${nodes.length}`),
  );
}

async function allLinked(
  primaries: readonly RedisServer[],
  replicas: readonly RedisServer[],
  replicasEach: number,
): Promise<boolean> {
  const above = await Promise.all(primaries.map((node) => node.info("replication")));
  const below = await Promise.all(replicas.map((node) => node.info("replication")));
  return (
    above.every((report) => report["connected_slaves"] === String(replicasEach)) &&
    below.every((report) => report["master_link_status"] === "up")
  );
}
