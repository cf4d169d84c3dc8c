/** What makes another server the master of the stream. */
import { eventually, type RedisServer } from "@redis-batch/test-support";
import { journalNowMs } from "../journal.ts";
import { unusedKeyOf } from "../keys.ts";
import { SENTINEL_NAME } from "../topology/find-master.ts";
import type { Topology } from "../topology/topology.ts";
import { type Effect, type Fault, OBSERVED, observedIf, type Scene, SKIPPED } from "./fault.ts";
import { lasting } from "./lasting.ts";

/** A write that takes longer was held back. */
const HELD_BACK_MS = 100;

/** Somebody asks for it: SENTINEL FAILOVER, CLUSTER FAILOVER. */
export const plannedFailover: Fault = {
  target: "server",
  strike: (scene) => failOver(scene, () => ask(scene, "FAILOVER")),
};

/** kill -9 of the master; it comes back when another one has taken its place. */
export const masterKill: Fault = {
  target: "server",
  strike: (scene) =>
    failOver(
      scene,
      () => scene.server.kill(),
      async (successor) => {
        await scene.server.restart();
        // As who restarts it would; a Sentinel takes ten seconds to do so. In a Cluster it knows by itself.
        if (scene.topology.kind === "sentinel") await follow(scene.server, successor);
      },
    ),
};

/**
 * SIGSTOP of the master, and SIGCONT when another one has taken its place: for a moment there are two. Sentinels tell their
 * clients of the other one. In a Cluster nobody does: a worker that is connected to the frozen one waits, until it answers
 * or has been silent for too long.
 */
export const masterFreeze: Fault = {
  target: "server",
  strike(scene, _place, { forMs }) {
    const { topology, server, over, away } = scene;
    const fromMs = journalNowMs();
    return failOver(
      scene,
      () => server.freeze(),
      async () => {
        await lasting(forMs, over);
        await server.thaw();
        if (topology.kind !== "cluster") return;
        await eventually("the old master is a replica", async () => (await roleOf(server)) === "slave");
        away(fromMs, journalNowMs(), "master frozen");
      },
    );
  },
};

/**
 * A replica is promoted by hand. In a Cluster it takes the slots without asking anybody (CLUSTER FAILOVER TAKEOVER). With
 * Sentinels it calls itself a master for a while (REPLICAOF NO ONE), and nobody must believe it.
 */
export const replicaPromoted: Fault = {
  target: "server",
  async strike(scene, _place, { forMs }) {
    const { topology, server, over } = scene;
    if (topology.kind === "cluster") return failOver(scene, () => ask(scene, "FAILOVER", "TAKEOVER"));
    const replica = replicaOf(topology, server);
    await replica.command("REPLICAOF", "NO", "ONE");
    const isMaster = (await roleOf(replica)) === "master";
    // A Sentinel may demote it at once, or after ten seconds.
    await lasting(forMs, over);
    await follow(replica, server);
    await topology.whole();
    return observedIf(
      isMaster && (await topology.master()) === server,
      "the replica was not a master, or the only one",
    );
  },
};

/** Sends the order to the one that carries it out: a Sentinel, or a replica in the Cluster. */
async function ask({ topology, server }: Scene, ...order: readonly string[]): Promise<void> {
  const [sentinel] = topology.sentinels;
  await eventually("a failover may begin", async () =>
    sentinel === undefined
      ? (await clusterReplicaOf(topology, server)).command("CLUSTER", ...order)
      : sentinel.command("SENTINEL", ...order, SENTINEL_NAME),
  );
}

/**
 * Waits until another server is the master, undoes what was done to the old one, and waits until all is well again. Without
 * something to undo it was only an order, which the servers may give up: then nothing has happened.
 */
async function failOver(
  { topology, server, stream, away, forgotten }: Scene,
  begin: () => Promise<void>,
  undo?: (successor: RedisServer) => Promise<void>,
): Promise<Effect> {
  const fromMs = journalNowMs();
  await begin();
  // One that is dead takes no more writes; any other takes them until it has learned that it is a replica.
  const isDead = !server.running;
  const successor = await topology.successorOf(server).catch((error: unknown) => {
    if (undo !== undefined) throw error;
  });
  const toMs = journalNowMs();
  away(fromMs, toMs, "failover");
  if (successor !== undefined) await undo?.(successor);
  await topology.whole();
  if (undo === undefined) await untilItWrites(topology, stream, () => away(fromMs, journalNowMs(), "writes held back"));
  forgotten(fromMs, isDead ? toMs : journalNowMs());
  return successor === undefined ? SKIPPED : OBSERVED;
}

/**
 * A master that was ordered to hand over holds all writes back, and does so for five seconds if that comes to nothing, as when a
 * slot moves at the same time. It answers reads meanwhile.
 *
 * @param tell called when it did
 */
async function untilItWrites(topology: Topology, stream: string, tell: () => void): Promise<void> {
  const sinceMs = journalNowMs();
  await topology.command("DEL", unusedKeyOf(stream));
  if (journalNowMs() - sinceMs > HELD_BACK_MS) tell();
}

async function roleOf(server: RedisServer): Promise<string | undefined> {
  return (await server.info("replication"))["role"];
}

async function follow(server: RedisServer, { host, port }: RedisServer): Promise<void> {
  await server.command("REPLICAOF", host, port);
}

function replicaOf({ nodes }: Topology, master: RedisServer): RedisServer {
  return nodes.find((node) => node !== master) as RedisServer;
}

async function clusterReplicaOf({ nodes }: Topology, master: RedisServer): Promise<RedisServer> {
  for (const node of nodes) {
    const report = await node.info("replication");
    if (report["master_port"] === String(master.port)) return node;
  }
  throw new Error("the master has no replica");
}
