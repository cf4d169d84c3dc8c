import { groupKey } from "../names/keys.ts";
import { nameOfBytes } from "../names/names.ts";
import type { StreamClient } from "../stream-client.ts";
import { decodeRegistry, type Registration } from "./consumer-registry.ts";

export interface ReadFinalReportsOptions {
  readonly stream: string;
  readonly group: string;
  /** Only reports since this time, by the server's clock, in milliseconds since 1970. */
  readonly sinceMs: number;
}

// About the number that is kept.
const MOST = 1_000;

/** The last reports of consumers that closed cleanly, oldest first. Only the newest reports are kept. */
export async function readFinalReports(
  client: Pick<StreamClient, "xrange">,
  { stream, group, sinceMs }: ReadFinalReportsOptions,
): Promise<readonly Registration[]> {
  const key = groupKey("final-reports", stream, group);
  const entries = await client.xrange({ stream: key, from: String(Math.max(0, sinceMs)), to: "+", count: MOST });
  return entries.flatMap(({ fields }) => {
    const [, consumer, , told] = fields.map(nameOfBytes);
    // Decoded one by one: the same name may have left more than once.
    return consumer === undefined || told === undefined
      ? []
      : [...decodeRegistry(new Map([[consumer, told]])).values()];
  });
}
