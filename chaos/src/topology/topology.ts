/** The servers of a round: one, or a Cluster of three masters with a replica each, or a master with two replicas and Sentinels. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type CommandArgument,
  eventually,
  RedisServer,
  type Reply,
  startCluster,
  startSentinel,
} from "@redis-batch/test-support";
import { findMaster, namedBy, SENTINEL_NAME, type Servers, type TopologyKind } from "./find-master.ts";

/** A server that is silent for this long is taken to be dead. */
const DOWN_AFTER_MS = 1_500;
/** What `startSentinel` sets: after a failover a Sentinel waits twice as long before it begins another one. */
const SENTINEL_FAILOVER_MS = 2_000;
/** How often Sentinels tell each other who is the master. */
const SENTINEL_HELLO_MS = 2_000;
/** Nodes wait up to a second before they ask for votes, so that the best replica asks first; and news takes a second. */
const ELECTION_MS = 2_000;
/** How long a Sentinel leaves a master alone that should be a replica, and a replica needs until it is in step again. */
const WHOLE_LIMIT_MS = 60_000;
// The file is rewritten when it has got this long, so it is read in seconds even after hours, however busy the machine.
const CONFIG = ["auto-aof-rewrite-min-size 8mb", "auto-aof-rewrite-percentage 50"];

/** The longest time from a master's end until clients find another one, by the settings. */
const FAILOVER_MS: Readonly<Record<TopologyKind, number>> = {
  standalone: 0,
  // The failure is seen, the one before is over for long enough, a leader is elected, and all Sentinels know the new master.
  sentinel: DOWN_AFTER_MS + 2 * SENTINEL_FAILOVER_MS + ELECTION_MS + SENTINEL_HELLO_MS,
  // A majority must have seen the failure, each in its own time. An election that fails is repeated after four times that.
  cluster: 2 * DOWN_AFTER_MS + ELECTION_MS + 4 * DOWN_AFTER_MS,
};

/** How many replicas the stream's master has. */
export const REPLICAS: Readonly<Record<TopologyKind, number>> = { standalone: 0, sentinel: 2, cluster: 1 };

export class Topology implements Servers, AsyncDisposable {
  readonly kind: TopologyKind;
  readonly nodes: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  readonly #stream: string;
  readonly #stop: () => Promise<void>;

  private constructor(servers: Servers, stream: string, stop: () => Promise<void>) {
    this.kind = servers.kind;
    this.nodes = servers.nodes;
    this.sentinels = servers.sentinels;
    this.#stream = stream;
    this.#stop = stop;
  }

  static async start(kind: TopologyKind, stream: string): Promise<Topology> {
    if (kind === "sentinel") {
      const started = await startSentinel({
        ...{ persistence: "aof", replicas: REPLICAS.sentinel, sentinels: 3, downAfterMs: DOWN_AFTER_MS },
      });
      const { primary, replicas, sentinels } = started;
      return new Topology({ kind, nodes: [primary, ...replicas], sentinels }, stream, () => started.stop());
    }
    if (kind === "cluster") {
      const started = await startCluster({
        ...{ persistence: "aof", config: CONFIG, replicasEach: REPLICAS.cluster, nodeTimeoutMs: DOWN_AFTER_MS },
      });
      return new Topology({ kind, nodes: started.nodes, sentinels: [] }, stream, () => started.stop());
    }
    const server = await RedisServer.start({ persistence: "aof", listen: "tcp", config: CONFIG });
    return new Topology({ kind, nodes: [server], sentinels: [] }, stream, () => server.stop());
  }

  /** How a process connects that no fault strikes on its way. */
  get url(): string {
    const hosts = (servers: readonly RedisServer[]): string =>
      servers.map(({ host, port }) => `${host}:${port}`).join();
    if (this.kind === "sentinel") return `redis+sentinel://${hosts(this.sentinels)}/${SENTINEL_NAME}`;
    if (this.kind === "cluster") return `redis+cluster://${hosts(this.nodes)}`;
    return (this.nodes[0] as RedisServer).url;
  }

  /** The server that has the stream. */
  master(): Promise<RedisServer> {
    return eventually("a server has the stream", () => findMaster(this, this.#stream), { timeoutMs: WHOLE_LIMIT_MS });
  }

  /** Sends one command to the server that has the stream, or to the one that it names for another key. */
  async command(...args: readonly CommandArgument[]): Promise<Reply> {
    const master = await this.master();
    try {
      return await master.command(...args);
    } catch (error) {
      const [, port] = /\bMOVED \d+ [^ ]*:(\d+)/.exec(String(error)) ?? [];
      const other = this.nodes.find((node) => node.port === Number(port));
      if (other === undefined) throw error;
      return other.command(...args);
    }
  }

  /** Waits for another master than this one, which all know → it. */
  async successorOf(old: RedisServer): Promise<RedisServer> {
    const isThere = async (): Promise<RedisServer | undefined> => {
      const master = await findMaster(this, this.#stream);
      const named = await Promise.all(this.sentinels.map(namedBy));
      return master !== old && named.every((port) => port === master.port) ? master : undefined;
    };
    return eventually("another server has the stream", isThere, { timeoutMs: FAILOVER_MS[this.kind] });
  }

  /** Waits until every replica follows, and every Sentinel or node takes all others to be well. */
  async whole(): Promise<void> {
    const isWhole = this.kind === "sentinel" ? () => this.#isWatched() : () => this.#isConnected();
    if (this.kind !== "standalone")
      await eventually("the servers are whole again", isWhole, { timeoutMs: WHOLE_LIMIT_MS });
  }

  /** Writes what each server has logged into a folder. */
  writeLogs(folder: string): void {
    for (const { port, log } of [...this.nodes, ...this.sentinels])
      writeFileSync(join(folder, `server-${port}.log`), log);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }

  async #isWatched(): Promise<boolean> {
    const { port } = await findMaster(this, this.#stream);
    const followers = this.nodes.filter((node) => node.port !== port);
    const reports = await Promise.all(followers.map((node) => node.info("replication")));
    const views = await Promise.all(this.sentinels.map((sentinel) => sentinel.info("sentinel")));
    const view = `status=ok,address=127.0.0.1:${port},slaves=${followers.length},sentinels=${this.sentinels.length}`;
    return (
      reports.every((report) => report["master_port"] === String(port) && report["master_link_status"] === "up") &&
      views.every((report) => report["master0"]?.endsWith(view))
    );
  }

  async #isConnected(): Promise<boolean> {
    const reports = await Promise.all(this.nodes.map((node) => node.info("replication")));
    const views = await Promise.all(this.nodes.map(async (node) => String(await node.command("CLUSTER", "NODES"))));
    const following = reports.filter((report) => report["master_link_status"] === "up");
    return (
      following.length * 2 === this.nodes.length &&
      reports.every(
        (report) => report["role"] === "slave" || report["connected_slaves"] === String(REPLICAS.cluster),
      ) &&
      views.every((view) => !/fail|handshake|noaddr/.test(view)) &&
      // News of a failover, or of a slot, may not have reached all of them.
      new Set(views.map(rolesAndSlots)).size === 1
    );
  }
}

/** What CLUSTER NODES says of each node, without what differs from one node to the next: "myself", times, and links. */
function rolesAndSlots(view: string): string {
  const lines = view.trim().split("\n");
  const told = lines.map((line) => {
    const [id, , flags = "", master, , , , , ...slots] = line.trim().split(" ");
    return [id, flags.replace("myself,", ""), master, ...slots].join(" ");
  });
  return told.toSorted().join("\n");
}
