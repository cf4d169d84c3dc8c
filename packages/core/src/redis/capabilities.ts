import type { StreamClient } from "../stream-client.ts";

/** What this server can do beyond what every supported server can. Asked for, never guessed from a version. */
export interface Capabilities {
  /**
   * XACKDEL (Redis ≥ 8.2): acknowledges, and removes from the stream what every group is done with. Known to be there,
   * not known to be safe: 8.2.0 – 8.2.2 have CVE-2025-62507 in it.
   */
  readonly ackDelete: boolean;
}

/**
 * Asks the server what it can do. Where it does not let us ask (`COMMAND` is not granted, or not offered), nothing beyond
 * the least supported server is assumed. Whether it is older than that shows when it is given a script with flags.
 */
export async function probeCapabilities(client: Pick<StreamClient, "knowsCommands">): Promise<Capabilities> {
  const [ackDelete = false] = (await client.knowsCommands(["xackdel"])) ?? [];
  return { ackDelete };
}
