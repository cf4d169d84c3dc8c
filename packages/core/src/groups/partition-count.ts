/**
 * How many partitions a stream has: written down once, beside the logical stream. Anyone with another number is refused, because
 * the keys of its messages would be in other partitions.
 */
import { ConfigError } from "../errors/errors.ts";
import { nullIfForbidden } from "../errors/null-if-forbidden.ts";
import { quoteName } from "../names/names.ts";
import { partitionStreams, partitionsKey } from "../names/partitions.ts";
import type { StreamClient } from "../stream-client.ts";

/**
 * Writes it down, or compares.
 *
 * @throws {ConfigError} when the stream has another number of partitions, or something that cannot be read says how many
 */
export async function assurePartitions(
  client: Pick<StreamClient, "setOnce">,
  { stream, partitions }: { readonly stream: string; readonly partitions: number },
): Promise<void> {
  const streams = partitionStreams(stream, partitions);
  const value = JSON.stringify({ v: 1, count: partitions, hash: "crc32", streams });
  const known = await client.setOnce({ key: partitionsKey(stream), value });
  if (known === null || known === value) return;
  const count = countOf(known);
  throw new ConfigError("partitions", [
    count === null || count === partitions
      ? `what is written down about the partitions of ${quoteName(stream)} cannot be read: is a newer version of Redis Batch at work?`
      : `${quoteName(stream)} has ${count} partitions, and not ${partitions}: they cannot be changed, only a new stream can have more`,
  ]);
}

/** The streams of a stream's partitions, as they are written down; `null`: it has none, or the user may not ask. */
export async function readPartitions(
  client: Pick<StreamClient, "textOf">,
  stream: string,
): Promise<readonly string[] | null> {
  // Such a name has no partitions, and perhaps no slot for other keys.
  if (/[{}]/.test(stream)) return null;
  return decodePartitions(stream, await nullIfForbidden(client.textOf({ key: partitionsKey(stream) })));
}

/** The same, of what is written down at `partitionsKey`. */
export function decodePartitions(stream: string, known: string | null): readonly string[] | null {
  const count = known === null ? null : countOf(known);
  return count === null ? null : partitionStreams(stream, count);
}

/**
 * For those who were not told of partitions: a stream beside them would have messages that nobody reads.
 *
 * @throws {ConfigError} when the stream has partitions
 */
export async function refusePartitions(client: Pick<StreamClient, "textOf">, stream: string): Promise<void> {
  const partitions = await readPartitions(client, stream);
  if (partitions === null) return;
  throw new ConfigError("partitions", [
    `${quoteName(stream)} has ${partitions.length} partitions: set \`partitions: ${partitions.length}\``,
  ]);
}

/** The names of streams, with each that is a partition replaced by that of the whole, which is there once. */
export async function joinPartitions(
  client: Pick<StreamClient, "textOf">,
  streams: readonly string[],
): Promise<readonly string[]> {
  const wholes = new Set(streams.flatMap((name) => /^(.+)\/\d+\.\d+$/s.exec(name)?.[1] ?? []));
  const partOf = new Map<string, string>();
  for (const whole of wholes) {
    for (const part of (await readPartitions(client, whole)) ?? []) partOf.set(part, whole);
  }
  return [...new Set(streams.map((name) => partOf.get(name) ?? name))];
}

function countOf(text: string): number | null {
  try {
    const { count } = JSON.parse(text) as { readonly count?: unknown };
    return typeof count === "number" ? count : null;
  } catch {
    return null;
  }
}
