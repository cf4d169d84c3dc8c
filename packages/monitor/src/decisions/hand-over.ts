/** Who gets what the dead left behind: the one with the fewest pending messages, page by page. */
import type { ConsumerReport } from "../report.ts";

export type HandOverTo = "registered" | "any";

export type TargetChoice =
  | { readonly kind: "targets"; readonly targets: readonly HandOverTarget[] }
  /** Nothing is handed over, for this reason. */
  | { readonly kind: "none"; readonly reason: string };

export interface HandOverTarget {
  readonly consumer: string;
  readonly foreign: boolean;
  readonly pending: number;
}

/**
 * Healthy consumers with a fresh heartbeat; those of them that have much to do already, where there are no others: with
 * them a message waits its turn, with the dead for ever. Foreign ones where there are none, and only if that is allowed.
 */
export function chooseTargets(consumers: readonly ConsumerReport[], to: HandOverTo): TargetChoice {
  const healthy = consumers.filter(({ status }) => status === "OK");
  const registered = healthy.filter(({ foreign }) => !foreign);
  if (registered.length > 0) return { kind: "targets", targets: registered.map(asTarget) };
  const busy = consumers.filter(({ status, foreign }) => !foreign && status === "WARNING - too many pending items");
  if (busy.length > 0) return { kind: "targets", targets: busy.map(asTarget) };
  if (healthy.length > 0 && to === "any") return { kind: "targets", targets: healthy.map(asTarget) };
  if (healthy.length === 0) return { kind: "none", reason: "no healthy consumer is there to hand messages to" };
  const reason = 'no registered consumer is healthy, and foreign ones get nothing unless handOverTo is "any"';
  return { kind: "none", reason };
}

const asTarget = ({ consumer, foreign, pending }: ConsumerReport): HandOverTarget => ({ consumer, foreign, pending });

// One page costs the server less than a millisecond.
const LARGEST_PAGE = 100;
const PAGES_PER_TARGET = 4;

/** How many messages are handed over at once: so few that the targets' loads come out about even. */
export function decidePageSize(messages: number, targets: number): number {
  const pages = Math.max(targets, 1) * PAGES_PER_TARGET;
  return Math.min(Math.max(Math.ceil(messages / pages), 1), LARGEST_PAGE);
}

/** Who gets the next page: the target with the fewest messages pending; of several, the first by name. */
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
