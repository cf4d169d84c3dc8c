import { UnsupportedServerError } from "./errors.ts";
import type { StreamClient } from "./stream-client.ts";

/** What this server can do beyond what every supported server can. Asked for, never guessed from a version. */
export interface Capabilities {
  /**
   * XACKDEL (Redis ≥ 8.2): acknowledges, and removes from the stream what every group is done with. Known to be there,
   * not known to be safe: 8.2.0 – 8.2.2 have CVE-2025-62507 in it.
   */
  readonly ackDelete: boolean;
}

/**
 * Asks the server what it can do. Where it does not let us ask (`COMMAND` not granted), nothing beyond the least
 * supported server is assumed.
 *
 * @throws {UnsupportedServerError} when the server is older than Redis 7.0
 */
export async function probeCapabilities(client: Pick<StreamClient, "knowsCommands">): Promise<Capabilities> {
  const known = await client.knowsCommands(["fcall", "xackdel"]);
  if (known === null) return { ackDelete: false };
  const [fcall = false, xackdel = false] = known;
  if (!fcall) {
    throw new UnsupportedServerError(
      "this server is older than Redis 7.0 (it does not know FCALL); Redis 7.0 or Valkey 8, or later, is needed",
    );
  }
  return { ackDelete: xackdel };
}
