/** What moves the stream's slot to another master of the Cluster. */
import { beginSlotMove, eventually, type RedisServer, type Reply, type SlotMove } from "@redis-batch/test-support";
import { type Fault, observedIf, type Scene, SKIPPED } from "./fault.ts";
import { lasting } from "./lasting.ts";

const KEYS_AT_ONCE = 100;
/** How long the slot is left as it is after each key, as long as the fault lasts. */
const PACE_MS = 20;
const MOVE_LIMIT_MS = 60_000;

/** The classic way, key by key (MIGRATE): for a while some keys of the slot are here and some there. */
export const slotMove: Fault = {
  target: "server",
  async strike(scene, _place, { forMs }) {
    const { topology, server, stream, over } = scene;
    const target = await otherMaster(scene);
    // Right after a slot has moved all at once, the servers refuse this: they are still clearing it.
    const begin = (): Promise<SlotMove> => beginSlotMove(stream, server, target);
    await using move = await eventually("the slot may move", begin, { timeoutMs: MOVE_LIMIT_MS });
    const slot = await slotOf(scene);
    const endsAtMs = performance.now() + forMs;
    for (;;) {
      const keys = (await server.command("CLUSTER", "GETKEYSINSLOT", slot, KEYS_AT_ONCE)) as string[];
      if (keys.length === 0) break;
      for (const key of keys) {
        await move.moveKey(key);
        await lasting(Math.max(0, Math.min(PACE_MS, endsAtMs - performance.now())), over);
      }
    }
    await move.finish();
    await topology.whole();
    return observedIf((await topology.master()) === target, "the slot did not move");
  },
};

/** The way of Redis 8.4 and later, all at once (CLUSTER MIGRATION). */
export const slotMigration: Fault = {
  target: "server",
  async strike(scene) {
    const { topology } = scene;
    const target = await otherMaster(scene);
    const slot = await slotOf(scene);
    const id = await target.command("CLUSTER", "MIGRATION", "IMPORT", slot, slot).catch(() => undefined);
    if (id === undefined) return SKIPPED;
    const hasEnded = async (): Promise<string | undefined> => {
      const [task] = (await target.command("CLUSTER", "MIGRATION", "STATUS", "ID", String(id))) as Reply[][];
      const state = String(task?.[(task.indexOf("state") ?? 0) + 1]);
      return ["completed", "failed", "canceled"].includes(state) ? state : undefined;
    };
    const end = await eventually("the slot has moved", hasEnded, { timeoutMs: MOVE_LIMIT_MS });
    await topology.whole();
    return observedIf(end === "completed" && (await topology.master()) === target, `the migration ended: ${end}`);
  },
};

async function slotOf({ server, stream }: Scene): Promise<number> {
  return Number(await server.command("CLUSTER", "KEYSLOT", stream));
}

async function otherMaster({ topology, server }: Scene): Promise<RedisServer> {
  for (const node of topology.nodes) {
    if (node !== server && (await node.info("replication"))["role"] === "master") return node;
  }
  throw new Error("the Cluster has no other master");
}
