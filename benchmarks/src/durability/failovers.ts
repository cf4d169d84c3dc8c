/** What is lost when a replica takes over: three Sentinels, a master, two replicas. */
import { setTimeout as pause } from "node:timers/promises";
import type { ProducerOptions } from "@redis-batch/consumer";
import {
  eventually,
  type RedisServer,
  type SentinelTopology,
  type ServerVersion,
  startSentinel,
} from "@redis-batch/test-support";
import { Load, numbersAt, type Tally } from "./load.ts";

const LOAD_MS = 1_500;
/** How long the load goes on after the failover: until the producer has followed it, or should have. */
const SETTLE_MS = 2_000;
/** How long a frozen master stays frozen after its successor took over. */
const FROZEN_MS = 1_000;
const LIMIT = { timeoutMs: 60_000 };

export const FAULTS = {
  "the master is killed (`kill -9`)": (topology, master) => kill(topology, master),
  "planned `SENTINEL FAILOVER`": (topology, master) => failOver(topology, master),
  "the master is frozen, and thaws a second after the failover": (topology, master) => freeze(topology, master),
} as const satisfies Record<string, (topology: SentinelTopology, master: RedisServer) => Promise<void>>;

interface Setting {
  /** Of each data server. */
  readonly config?: Readonly<Record<string, string>>;
  readonly waitForReplicas?: ProducerOptions["waitForReplicas"];
}

export const SETTINGS = {
  "the server's defaults": {},
  "`min-replicas-to-write 1`, `min-replicas-max-lag 2`": {
    config: { "min-replicas-to-write": "1", "min-replicas-max-lag": "2" },
  },
  "`waitForReplicas` 1 of 2": { waitForReplicas: { count: 1, timeoutMs: 1_000 } },
  "`waitForReplicas` 2 of 2": { waitForReplicas: { count: 2, timeoutMs: 1_000 } },
} as const satisfies Record<string, Setting>;

export async function measureFailover(
  fault: keyof typeof FAULTS,
  name: keyof typeof SETTINGS,
  version: ServerVersion,
): Promise<Tally> {
  const { config = {}, waitForReplicas }: Setting = SETTINGS[name];
  const common = { version, persistence: "everysec", downAfterMs: 1_000 } as const;
  await using topology = await startSentinel({ ...common, replicas: 2, sentinels: 3 });
  const servers = [topology.primary, ...topology.replicas];
  for (const server of servers) {
    for (const [key, value] of Object.entries(config)) await server.command("CONFIG", "SET", key, value);
  }
  await using load = new Load({ redis: topology.options, waitForReplicas });
  await load.untilConfirmed(100);
  await pause(LOAD_MS);
  await FAULTS[fault](topology, topology.primary);
  await pause(SETTLE_MS);
  await load.stop();
  return load.tally(await numbersAt(await masterOf(topology)));
}

async function masterOf(topology: SentinelTopology): Promise<RedisServer> {
  const address = await topology.sentinels[0]?.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", topology.name);
  const port = Number((address as [string, string])[1]);
  const master = [topology.primary, ...topology.replicas].find((server) => server.port === port);
  if (master === undefined) throw new Error("the Sentinel names a server that is none of ours");
  return master;
}

async function untilReplaced(topology: SentinelTopology, old: RedisServer): Promise<void> {
  await eventually(
    "another server is the master",
    async () => {
      const master = await masterOf(topology);
      return master !== old && (await master.info("replication"))["role"] === "master";
    },
    LIMIT,
  );
}

async function kill(topology: SentinelTopology, master: RedisServer): Promise<void> {
  await master.kill();
  await untilReplaced(topology, master);
  await master.restart();
}

async function failOver(topology: SentinelTopology, master: RedisServer): Promise<void> {
  await topology.sentinels[0]?.command("SENTINEL", "FAILOVER", topology.name);
  await untilReplaced(topology, master);
}

async function freeze(topology: SentinelTopology, master: RedisServer): Promise<void> {
  await master.freeze();
  await untilReplaced(topology, master);
  await pause(FROZEN_MS);
  await master.thaw();
}
