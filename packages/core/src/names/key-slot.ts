import { bytesOfName } from "./names.ts";

/** How many slots a Redis Cluster has. */
export const SLOTS = 16_384;
/** CRC-16/XMODEM of each single byte. */
const CRC_OF_BYTE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});
const OPEN = 123;
const CLOSE = 125;

/** The slot of a Redis Cluster that a key is in, 0 to 16,383. */
export function keySlot(key: string): number {
  const bytes = bytesOfName(key);
  const open = bytes.indexOf(OPEN);
  const close = open < 0 ? -1 : bytes.indexOf(CLOSE, open + 1);
  // Only what is between the first braces counts, if there is something between them.
  let crc = 0;
  for (const byte of close > open + 1 ? bytes.subarray(open + 1, close) : bytes) {
    crc = ((crc << 8) & 0xffff) ^ (CRC_OF_BYTE[(crc >> 8) ^ byte] as number);
  }
  return crc % SLOTS;
}
