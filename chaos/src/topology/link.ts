/** A worker's own way to the servers: a proxy before each of them. */
import { FaultProxy, type Faults, type RedisServer } from "@redis-batch/test-support";
import { SENTINEL_NAME, type Servers } from "./find-master.ts";

type Endpoint = { readonly host: string; readonly port: number };
/** Where an address leads to; servers name each other by their own addresses. */
type NatMap = Readonly<Record<string, { host: string; port: number }>>;

/** How a process connects, as JSON. */
export type Way =
  | { readonly kind: "standalone"; readonly url: string }
  | { readonly kind: "sentinel"; readonly name: string; readonly sentinels: Endpoint[]; readonly natMap: NatMap }
  | { readonly kind: "cluster"; readonly nodes: Endpoint[]; readonly natMap: NatMap };

export class Link implements AsyncDisposable {
  readonly way: Way;
  readonly #lines: ReadonlyMap<RedisServer, FaultProxy>;

  private constructor({ kind, nodes, sentinels }: Servers, lines: ReadonlyMap<RedisServer, FaultProxy>) {
    this.#lines = lines;
    const endpoint = (server: RedisServer): { host: string; port: number } => {
      const { host, port } = this.to(server).address;
      return { host, port };
    };
    const natMap = Object.fromEntries(
      [...lines.keys()].map((server) => [`${server.host}:${server.port}`, endpoint(server)]),
    );
    if (kind === "standalone") this.way = { kind, url: this.to(nodes[0] as RedisServer).url };
    else if (kind === "cluster") this.way = { kind, nodes: nodes.map(endpoint), natMap };
    else this.way = { kind, name: SENTINEL_NAME, sentinels: sentinels.map(endpoint), natMap };
  }

  static async open(servers: Servers, seed: number): Promise<Link> {
    const all = [...servers.nodes, ...servers.sentinels];
    const lines = await Promise.all(
      all.map(async (server) => [server, await FaultProxy.start(server, { seed })] as const),
    );
    return new Link(servers, new Map(lines));
  }

  /** All that a worker of an earlier version knows, which there is with one server only. */
  get url(): string {
    return this.way.kind === "standalone" ? this.way.url : "";
  }

  /** The line to one of the servers. */
  to(server: RedisServer): FaultProxy {
    const line = this.#lines.get(server);
    if (line === undefined) throw new Error(`there is no line to ${server.url}`);
    return line;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#all.reduce((sum, { connections }) => sum + connections, 0);
  }

  /** How many connections there have been. */
  get accepted(): number {
    return this.#all.reduce((sum, { accepted }) => sum + accepted, 0);
  }

  set(changes: Partial<Faults>): void {
    for (const line of this.#all) line.set(changes);
  }

  heal(): void {
    for (const line of this.#all) line.heal();
  }

  reset(): void {
    for (const line of this.#all) line.reset();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((line) => line.stop()));
  }

  get #all(): readonly FaultProxy[] {
    return [...this.#lines.values()];
  }
}
