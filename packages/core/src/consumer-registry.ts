/** What the group's registry knows of its consumers: one field each, written by the consumer's own heartbeat. */

/** A consumer as its last heartbeat told. */
export interface Registration {
  readonly consumer: string;
  /** When the last heartbeat was, by the server's clock, in milliseconds since 1970. */
  readonly atMs: number;
  /** How long its messages are its own without a renewal, in milliseconds. */
  readonly leaseMs: number;
  readonly incarnation: string;
}

/**
 * Reads the registry. What another version of Redis Batch wrote is read as far as it is understood; a field that is not
 * understood at all is left out, which makes its consumer one that is not registered.
 */
export function decodeRegistry(fields: ReadonlyMap<string, string>): ReadonlyMap<string, Registration> {
  const registry = new Map<string, Registration>();
  for (const [consumer, text] of fields) {
    const { at, leaseMs, incarnation } = parseObject(text);
    if (typeof at !== "number" || typeof leaseMs !== "number") continue;
    registry.set(consumer, {
      consumer,
      atMs: at,
      leaseMs,
      incarnation: typeof incarnation === "string" ? incarnation : "",
    });
  }
  return registry;
}

/** Whether a consumer was heard of within its own lease. */
export function isAlive(registered: Registration | undefined, serverNowMs: number): boolean {
  return registered !== undefined && serverNowMs - registered.atMs <= registered.leaseMs;
}

function parseObject(text: string): { readonly [name: string]: unknown } {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as { readonly [name: string]: unknown }) : {};
  } catch {
    return {};
  }
}
