/** The rate of a whole group: a field of its registry, and when the messages offered so far are paid for. */

/** How many messages all consumers of a group together offer to their handlers. */
export interface RateLimit {
  readonly messages: number;
  /** In this time, in milliseconds. */
  readonly perMs: number;
}

/** The field of the registry: a name that no consumer can have. */
export const RATE_FIELD = "rb:rate";

/** Reads the field; `null`: the group has no limit, or one that cannot be read. */
export function parseRateLimit(text: string | undefined): RateLimit | null {
  if (text === undefined || text === "") return null;
  try {
    const { messages, perMs } = JSON.parse(text) as Partial<Record<string, unknown>>;
    const isPositive = (value: unknown): value is number =>
      typeof value === "number" && Number.isFinite(value) && value > 0;
    return isPositive(messages) && isPositive(perMs) ? { messages, perMs } : null;
  } catch {
    return null;
  }
}

/** `null`: that there is none, whatever the options of consumers say. */
export const encodeRateLimit = (limit: RateLimit | null): string =>
  JSON.stringify(limit === null ? { v: 1 } : { v: 1, messages: limit.messages, perMs: limit.perMs });

export const isSameRate = (one: RateLimit | null, other: RateLimit | null): boolean =>
  one?.messages === other?.messages && one?.perMs === other?.perMs;

/** As text: `600 messages per 60000 ms`. */
export const describeRate = ({ messages, perMs }: RateLimit): string => `${messages} messages per ${perMs} ms`;
