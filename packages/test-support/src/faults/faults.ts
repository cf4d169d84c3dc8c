/** Faults of a connection; they can be combined. */
export interface Faults {
  /** Every piece of data is delayed by this, in each direction; pieces do not wait for each other. */
  readonly latencyMs: number;
  /** Up to this much additional delay, different for each piece; the order is kept. */
  readonly jitterMs: number;
  readonly bytesPerSecond: number;
  /** Data arrives in separate pieces of this size; 0: unchanged. */
  readonly sliceBytes: number;
  /** Connections stay half-open and nothing passes, not even their end. Held data passes once healed. */
  readonly blackhole: boolean;
  /** New connections are reset at once. */
  readonly refuse: boolean;
}

/** A network without faults. */
export const NO_FAULTS: Faults = {
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  sliceBytes: 0,
  blackhole: false,
  refuse: false,
};

/** Seen from the client: `request` goes to the server, `reply` comes back. */
export type Direction = "request" | "reply";

/** How late one piece of data is, apart from bandwidth; `chance` is at least 0 and below 1. */
export function delayOf(faults: Faults, chance: number): number {
  return faults.latencyMs + faults.jitterMs * chance;
}

/** How long that many bytes occupy the line. */
export function transferMs(faults: Faults, byteCount: number): number {
  return (byteCount / faults.bytesPerSecond) * 1_000;
}

/** The pieces in which data arrives. */
export function slices(bytes: Buffer, sliceBytes: number): Buffer[] {
  if (sliceBytes <= 0 || bytes.length <= sliceBytes) return [bytes];
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += sliceBytes) pieces.push(bytes.subarray(at, at + sliceBytes));
  return pieces;
}
