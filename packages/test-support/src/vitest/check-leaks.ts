import { afterAll, beforeAll } from "vitest";
import type { RedisServer } from "../servers/redis-server.ts";
import { eventually } from "../time/eventually.ts";
import { activeHandles, connectedClients, existingKeys, findLeaks, type Traces } from "./leaks.ts";
import { isOwnName } from "./unique-name.ts";
import type { UsedServer } from "./use-server.ts";

export interface LeakCheckOptions {
  /** Keys that the tests left count as leaks too; on a shared server those with a {@link uniqueName} of ours. */
  readonly keys?: boolean;
}

/** How long closed connections may take to be gone: the server notices them in its own time. */
const GRACE_MS = 2_000;

/**
 * Fails the file (or `describe`) when its tests leave something behind: connections to the server, sockets, ports or
 * child processes of this process, and keys when asked. Call it right after {@link useServer}.
 */
export function checkLeaks(used: UsedServer, options: LeakCheckOptions = {}): void {
  let before: Traces | undefined;

  beforeAll(async () => {
    if (used.skipReason === undefined) before = await look(used.server, options);
  });
  // Runs after the hooks that were registered later, such as those that close a file's clients.
  afterAll(async () => {
    if (before === undefined) return;
    const start = before;
    let leaks: string[] = [];
    const isClean = async () => {
      leaks = findLeaks(start, await look(used.server, options));
      return leaks.length === 0;
    };
    await eventually("nothing is left behind", isClean, { timeoutMs: GRACE_MS }).catch((cause: unknown) => {
      if (leaks.length === 0) throw cause;
      throw new Error(`the tests left behind:\n${leaks.map((leak) => `  ${leak}`).join("\n")}`);
    });
  });
}

async function look(server: RedisServer, { keys = false }: LeakCheckOptions): Promise<Traces> {
  const isOurs = (key: string) => !server.external || isOwnName(key);
  return {
    // Others come and go on a shared server.
    clients: server.external ? new Map() : await connectedClients(server),
    keys: keys ? await existingKeys(server, isOurs) : new Set(),
    handles: activeHandles(),
  };
}
