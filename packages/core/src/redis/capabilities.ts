import type { StreamClient } from "../stream-client.ts";

/** Features of this server that not every supported server has. Detected, never guessed from a version. */
export interface Capabilities {
  /**
   * XACKDEL (Redis ≥ 8.2): acknowledges, and deletes entries that every group has finished with. The command exists, but
   * need not be safe: in 8.2.0 – 8.2.2 it has CVE-2025-62507.
   */
  readonly ackDelete: boolean;
}

/**
 * Asks the server for its features, as far as this user may use them on this stream. If it cannot be asked, only those of
 * the oldest supported server are assumed. An even older server is noticed when it gets a script with flags.
 */
export async function probeCapabilities(
  client: Pick<StreamClient, "mayCall">,
  { stream, group }: { readonly stream: string; readonly group: string },
): Promise<Capabilities> {
  const command = ["XACKDEL", stream, group, "ACKED", "IDS", 1, "1-1"];
  const [ackDelete = false] = (await client.mayCall({ commands: [command] })) ?? [];
  return { ackDelete };
}
