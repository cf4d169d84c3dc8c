/**
 * One logical stream over several: which streams its partitions are, and which of them has the messages of a key. Both are
 * plain arithmetic on names, so that a program in any language finds the same.
 */
import { ConfigError } from "../errors/errors.ts";
import { keySlot, SLOTS } from "./key-slot.ts";
import { hashTag, keyParts } from "./keys.ts";
import { bytesOfName, quoteName } from "./names.ts";

/** A stream has at most this many partitions. */
export const MOST_PARTITIONS = 256;

/** CRC-32 (IEEE, as in zlib) of each single byte. */
const CRC_OF_BYTE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

const found = new Map<string, readonly string[]>();

/**
 * The streams of the partitions of a logical stream, in order. Partition 3 of `orders` is `orders/3.k`: `k` is the smallest number
 * for which the name's slot is in the middle tenth of the fourth of equal parts of a Redis Cluster's slots. So masters that have
 * equal shares of the slots have equal shares of the partitions, however many there are.
 *
 * @param partitions how many, 1 to 256
 * @throws {ConfigError} when the name has braces, which would put all partitions into one slot, or the count is out of range
 *
 * @example
 * partitionStreams("orders", 4); // ["orders/0.48", "orders/1.1", "orders/2.53", "orders/3.9"]
 */
export function partitionStreams(stream: string, partitions: number): readonly string[] {
  if (!Number.isSafeInteger(partitions) || partitions < 1 || partitions > MOST_PARTITIONS) {
    throw new ConfigError("partitions", [`there must be 1 to ${MOST_PARTITIONS} of them, got ${String(partitions)}`]);
  }
  if (/[{}]/.test(stream)) {
    throw new ConfigError("stream", [
      `${quoteName(stream)} cannot have partitions: because of the braces all of them would be in one slot`,
    ]);
  }
  hashTag(stream);
  const known = `${partitions} ${stream}`;
  let streams = found.get(known);
  if (streams === undefined) {
    streams = Array.from({ length: partitions }, (_, partition) => streamOf(stream, partition, partitions));
    found.set(known, streams);
  }
  return streams;
}

/** The partition that has the messages of a key: the CRC-32 of its UTF-8 bytes, modulo the number of partitions. */
export function partitionOfKey(key: string, partitions: number): number {
  return crc32(bytesOfName(key)) % partitions;
}

/** The key that says how many partitions a stream has. It is in the slot of the logical stream's name. */
export function partitionsKey(stream: string): string {
  return `${keyParts(stream)[0]}partitions`;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_OF_BYTE[(crc ^ byte) & 0xff] as number);
  return (crc ^ 0xffffffff) >>> 0;
}

function streamOf(stream: string, partition: number, partitions: number): string {
  for (let suffix = 0; ; suffix++) {
    const name = `${stream}/${partition}.${suffix}`;
    // How far the slot is into the partition's part, in twentieths of it.
    const twentieths = 20 * (keySlot(name) * partitions - partition * SLOTS);
    if (twentieths >= 9 * SLOTS && twentieths < 11 * SLOTS) return name;
  }
}
