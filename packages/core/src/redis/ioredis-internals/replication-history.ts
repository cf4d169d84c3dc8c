/**
 * Whether a server has been the master ever since a connection to it was made. A master that became a replica dropped what
 * its successor did not have, and if it becomes the master again, WAIT confirms that as well: it only compares how much
 * was written. Cluster nodes keep their connections meanwhile. But each master begins a new history, with an id.
 */
import type { Redis } from "ioredis";
import { unlessRefused } from "../../errors/null-if-forbidden.ts";
import { info } from "../../wire/info.ts";
import type { RedisClient } from "../redis-client.ts";
import { translateError } from "../translate-error.ts";
import { socketOf } from "./client-state.ts";

/** What INFO calls the id of the history. */
const ID = "master_replid";

/** By socket: the id at its start. */
const histories = new WeakMap<object, string>();

/** For a client, not connected yet: notes the history of each connection it makes, in a Cluster of each node's. */
export function noteHistories(client: RedisClient): void {
  if (client.isCluster) client.on("+node", (node) => noteHistory(node as Redis));
  else noteHistory(client as Redis);
}

/** Relies on the connector being shown what INFO told before a connection is used; without it no history is known. */
function noteHistory(client: Redis): void {
  const connector = Reflect.get(client, "connector") as
    | { check?: (told?: Readonly<Record<string, unknown>>) => unknown }
    | undefined;
  const check = connector?.check?.bind(connector);
  if (connector === undefined || check === undefined) return;
  connector.check = (told) => {
    const socket = socketOf(client);
    const id = told?.[ID];
    if (socket !== undefined && typeof id === "string") histories.set(socket, id);
    return check(told);
  };
}

/**
 * Asks, behind all that was sent before. True also if it cannot be known, because the server refuses INFO.
 *
 * @param client of one server
 */
export async function hasKeptHistory(client: RedisClient): Promise<boolean> {
  const socket = socketOf(client);
  const id = socket === undefined ? undefined : histories.get(socket);
  if (id === undefined) return true;
  const asked = client.callBuffer(info.name, "replication").catch((error: unknown) => {
    throw translateError(error, info.name);
  });
  const told = await unlessRefused(asked);
  return told === null || info.decode(told, {}).get(ID) === id;
}
