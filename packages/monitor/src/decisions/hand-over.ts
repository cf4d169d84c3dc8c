/** Where the messages of dead consumers go: to any consumer with room, or, among foreign ones, to the one with the fewest. */
import type { ConsumerReport } from "../report.ts";

export type HandOverTo = "registered" | "any";

export type TargetChoice =
  /** They are released: registered consumers are alive, and claim them as they have room. */
  | { readonly kind: "release" }
  | { readonly kind: "targets"; readonly targets: readonly HandOverTarget[] }
  /** Nothing moves, for this reason. */
  | { readonly kind: "none"; readonly reason: string };

export interface HandOverTarget {
  readonly consumer: string;
  readonly pending: number;
}

/**
 * Messages are released if a registered consumer works, even a busy one: there a message waits for a while, with a dead
 * consumer forever. Otherwise they go to healthy foreign consumers, if that is allowed.
 *
 * @param isAlone whether a consumer keeps messages in order for the whole group: a foreign one would not
 */
export function chooseTargets(consumers: readonly ConsumerReport[], to: HandOverTo, isAlone: boolean): TargetChoice {
  const isAtWork = ({ foreign, status }: ConsumerReport): boolean =>
    !foreign && (status === "OK" || status === "WARNING - too many pending items");
  if (consumers.some(isAtWork)) return { kind: "release" };
  if (isAlone) {
    const reason =
      "messages of this group are kept in order (orderBy), so only its own consumer may take them: start it again";
    return { kind: "none", reason };
  }
  const healthy = consumers.filter(({ foreign, status }) => foreign && status === "OK");
  if (healthy.length > 0 && to === "any") {
    return { kind: "targets", targets: healthy.map(({ consumer, pending }) => ({ consumer, pending })) };
  }
  if (healthy.length === 0) return { kind: "none", reason: "there is no healthy consumer to take the messages" };
  const reason = 'no registered consumer is healthy, and foreign consumers get messages only if handOverTo is "any"';
  return { kind: "none", reason };
}

// One page costs the server less than a millisecond.
const LARGEST_PAGE = 100;
const PAGES_PER_TARGET = 4;

/** Messages per page: few enough that the targets' loads become about equal. */
export function decidePageSize(messages: number, targets: number): number {
  const pages = Math.max(targets, 1) * PAGES_PER_TARGET;
  return Math.min(Math.max(Math.ceil(messages / pages), 1), LARGEST_PAGE);
}

/** The target of the next page: the one with the fewest pending messages; among equals, the first by name. */
export function chooseNext<Target extends { readonly consumer: string }>(
  targets: readonly Target[],
  loads: ReadonlyMap<string, number>,
): Target | undefined {
  let best: Target | undefined;
  const load = ({ consumer }: Target): number => loads.get(consumer) ?? 0;
  for (const target of targets) {
    const isFewer = best === undefined || load(target) < load(best);
    const isFirst = best !== undefined && load(target) === load(best) && target.consumer < best.consumer;
    if (isFewer || isFirst) best = target;
  }
  return best;
}
