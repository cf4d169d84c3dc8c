import type { RedisServer } from "../servers/redis-server.ts";

/** What a test file may leave behind, checked once before and once after its tests. */
export interface Traces {
  /** Client connections of an own server, by id, with what CLIENT LIST says of them. */
  readonly clients: ReadonlyMap<string, string>;
  readonly keys: ReadonlySet<string>;
  /** Open sockets, listening ports and child processes of this process, counted by kind. */
  readonly handles: ReadonlyMap<string, number>;
}

/** Says what is there afterwards and was not before, one line each; empty: nothing was left. */
export function findLeaks(before: Traces, after: Traces): string[] {
  const leaks: string[] = [];
  for (const [id, details] of after.clients) if (!before.clients.has(id)) leaks.push(`client connection: ${details}`);
  for (const key of after.keys) if (!before.keys.has(key)) leaks.push(`key: ${key}`);
  for (const [kind, count] of after.handles) {
    const more = count - (before.handles.get(kind) ?? 0);
    if (more > 0) leaks.push(`${more} × ${kind}`);
  }
  return leaks;
}

/** Handles of these kinds are ours; timers and pipes come and go with the test runner itself. */
const HANDLE_KINDS = new Set(["TCPSocketWrap", "TCPServerWrap", "ProcessWrap", "Worker"]);

export function activeHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (HANDLE_KINDS.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** The clients connected now, without replicas and without the connection that asks. */
export async function connectedClients(server: RedisServer): Promise<Map<string, string>> {
  const lines = String(await server.command("CLIENT", "LIST", "TYPE", "normal")).split("\n");
  const clients = new Map<string, string>();
  for (const line of lines) {
    const fields = new Map(line.split(" ").map((pair) => pair.split(/=(.*)/s, 2) as [string, string]));
    const id = fields.get("id");
    if (id === undefined || fields.get("cmd") === "client|list") continue;
    const told = ["addr", "name", "age", "cmd"].map((field) => `${field}=${fields.get(field) ?? ""}`);
    clients.set(id, told.join(" "));
  }
  return clients;
}

/** The keys there now, as far as `isOurs` accepts them. */
export async function existingKeys(server: RedisServer, isOurs: (key: string) => boolean): Promise<Set<string>> {
  const keys = new Set<string>();
  let cursor = "0";
  do {
    const [next, page] = (await server.command("SCAN", cursor, "COUNT", 1_000)) as [string, string[]];
    for (const key of page) if (isOurs(key)) keys.add(key);
    cursor = next;
  } while (cursor !== "0");
  return keys;
}
