/** Asks a server about itself, and finds what is wrong with it. */
import { nullIfForbidden } from "../errors/null-if-forbidden.ts";
import type { StreamClient } from "../stream-client.ts";
import { SENT_COMMANDS, type SentCommand } from "../wire/probe-command.ts";
import { diagnoseServer, type Finding } from "./diagnosis.ts";
import { DURABILITY_SETTINGS, diagnoseDurability } from "./durability.ts";

/** The commands that the server, or a proxy in front of it, offers to no user. Does not use COMMAND, which may be one of them. */
export async function findMissingCommands(client: Pick<StreamClient, "isOffered">): Promise<ReadonlySet<SentCommand>> {
  const offered = await Promise.all(SENT_COMMANDS.map((name) => client.isOffered(name)));
  return new Set(SENT_COMMANDS.filter((_, index) => offered[index] === false));
}

/** Version, role, clock, and what a failure would lose, for the server or each master of a Cluster. */
export async function examineServer(
  client: Pick<StreamClient, "time" | "knowsCommands" | "info" | "inspectServers">,
): Promise<readonly Finding[]> {
  const askedAtMs = Date.now();
  const serverMs = await nullIfForbidden(client.time());
  // The middle of the round trip.
  const oursMs = (askedAtMs + Date.now()) / 2;
  const [hasAckDelete = null] = (await client.knowsCommands(["xackdel"])) ?? [];
  const clockAheadMs = serverMs === null ? null : serverMs - oursMs;
  const reports = await client.inspectServers({ settings: DURABILITY_SETTINGS });
  return [...diagnoseServer({ info: await client.info(), hasAckDelete, clockAheadMs }), ...diagnoseDurability(reports)];
}
