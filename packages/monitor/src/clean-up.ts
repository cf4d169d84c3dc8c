/**
 * Releases the messages of dead consumers, page by page, and removes their names. Each page is one script and safe by
 * itself: it checks that the owner's heartbeat is still the one that was observed to stop, reads the page, and moves it.
 * A name is removed only if nothing is pending under it. So two monitors, or one that sleeps halfway, do no harm.
 * Registered consumers claim released messages as they have room; foreign ones cannot, so pages are handed over to them.
 */
import { compareEntryIds, type EntryId, NoGroupError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { describeCount, describeMessages } from "@redis-batch/core/internal/errors";
import { pendingPages } from "@redis-batch/core/internal/groups";
import { quoteName, RELEASED } from "@redis-batch/core/internal/names";
import type { GroupCleanUp, LeftBehind } from "./clean-up-report.ts";
import { describeDuration } from "./decisions/duration.ts";
import { decideGrace } from "./decisions/grace.ts";
import { chooseNext, chooseTargets, decidePageSize, type HandOverTarget } from "./decisions/hand-over.ts";
import type { MonitorEvent } from "./events.ts";
import type { DeadConsumer, GroupSnapshot, Stability } from "./inspect.ts";
import type { MonitorPolicy } from "./options.ts";

export interface CleanUpContext {
  readonly client: StreamClient;
  readonly policy: MonitorPolicy;
  readonly dryRun: boolean;
  readonly report: (event: MonitorEvent) => void;
  /** Checked before each page; if it returns false, the rest is left. */
  readonly mayGoOn: () => Promise<boolean>;
  /** How stable the connection is. */
  readonly stability: () => Stability;
}

// Small pages: ids only, each takes the server less than a millisecond.
const PAGE = 100;

// A reason stays readable.
const MOST_NAMED = 3;

const OWNER_IS_BACK = "it is back: its heartbeat is fresh";

/** The result for one page of an owner's pending list. */
type Page =
  | {
      readonly kind: "done";
      /** How many stay because they were delivered recently. */
      readonly recent: number;
      /** Where the next page starts; `null` after the last. */
      readonly lastId: EntryId | null;
    }
  /** This page and the rest stay. */
  | { readonly kind: "stays"; readonly reason: string };

/** Cleans up one group, or plans it. */
export async function cleanUpGroup(
  context: CleanUpContext,
  snapshot: GroupSnapshot,
  firstEntryId: EntryId | null,
): Promise<GroupCleanUp> {
  const { policy, stability } = context;
  const { group } = snapshot.report;
  const nothing = { group, moves: [], taken: null, left: [], trimmed: [], removed: [] };
  const grace = decideGrace(stability(), policy, "registered");
  const foreignGrace = decideGrace(stability(), policy, "foreign");
  const isForeign = ({ seenAtMs, minIdleMs }: DeadConsumer): boolean =>
    seenAtMs === null && minIdleMs >= policy.foreignIdleMs;
  const dead = snapshot.dead.filter((one) => foreignGrace === null || !isForeign(one));
  const isLost = snapshot.report.retention.pendingLost;
  const isIdle = snapshot.dead.length === 0 && snapshot.orphans.length === 0 && !isLost;
  if (isIdle) return { ...nothing, reason: describeIdle(snapshot, policy.foreignIdleMs) };
  if (grace !== null) return { ...nothing, reason: `nothing moves: ${grace}` };
  if (foreignGrace !== null && dead.length === 0 && snapshot.orphans.length === 0) {
    return { ...nothing, reason: `nothing moves: ${foreignGrace}` };
  }
  const cleaning = new GroupCleaning(context, { ...snapshot, dead }, firstEntryId);
  try {
    return await cleaning.run();
  } catch (error) {
    if (!NoGroupError.is(error)) throw error;
    return { ...cleaning.result(), reason: "the group no longer exists" };
  }
}

function describeIdle({ late, report }: GroupSnapshot, foreignIdleMs: number): string {
  if (late.length > 0) {
    const who = late.map(({ consumer }) => quoteName(consumer)).join(", ");
    return `nothing moves: the heartbeat of ${who} is late, but has not been watched for long enough`;
  }
  const holders = report.consumers.filter(({ foreign, pending }) => foreign && pending > 0);
  if (holders.length === 0) return "there is nothing to clean up: no consumer is dead";
  const waits = holders.map(({ consumer, pending, idleMs }) => {
    const leftMs = Math.max(foreignIdleMs - idleMs, 0);
    return `${quoteName(consumer)} in ${describeDuration(leftMs)} (${describeMessages(pending)})`;
  });
  const more = waits.length > MOST_NAMED ? `, and ${describeCount(waits.length - MOST_NAMED, "other")}` : "";
  return `nothing moves yet: a consumer that is not of Redis Batch counts as dead when it has been idle for ${describeDuration(foreignIdleMs)}: ${waits.slice(0, MOST_NAMED).join(", ")}${more}`;
}

class GroupCleaning {
  readonly #context: CleanUpContext;
  readonly #snapshot: GroupSnapshot;
  readonly #firstEntryId: EntryId | null;
  readonly #address: { readonly stream: string; readonly group: string };
  readonly #isReleased: boolean;
  readonly #noTarget: string;
  readonly #targets: readonly HandOverTarget[];
  readonly #loads: Map<string, number>;
  readonly #moves = new Map<string, Map<string, number>>();
  readonly #left: LeftBehind[] = [];
  readonly #trimmed = new Map<string, number>();
  readonly #removed: string[] = [];
  readonly #pageSize: number;

  constructor(context: CleanUpContext, snapshot: GroupSnapshot, firstEntryId: EntryId | null) {
    const { policy } = context;
    this.#context = context;
    this.#snapshot = snapshot;
    this.#firstEntryId = firstEntryId;
    this.#address = { stream: policy.stream, group: snapshot.report.group };
    const choice = chooseTargets(snapshot.report.consumers, policy.handOverTo, snapshot.isAlone);
    this.#isReleased = choice.kind === "release";
    this.#targets = choice.kind === "targets" ? choice.targets : [];
    this.#noTarget = choice.kind === "none" ? choice.reason : "";
    this.#loads = new Map(this.#targets.map(({ consumer, pending }) => [consumer, pending]));
    const messages = snapshot.dead.reduce((sum, { pending }) => sum + pending, 0);
    this.#pageSize = this.#isReleased ? PAGE : decidePageSize(messages, this.#targets.length);
  }

  async run(): Promise<GroupCleanUp> {
    for (const owner of this.#snapshot.dead) {
      if (owner.pending > 0 && !(await this.#handOver(owner))) continue;
      await this.#remove(owner);
    }
    for (const orphan of this.#snapshot.orphans) await this.#remove(orphan);
    await this.#clearTrimmed();
    return { ...this.result(), reason: this.#describe() };
  }

  result(): Omit<GroupCleanUp, "reason"> {
    return {
      group: this.#address.group,
      moves: [...this.#moves].flatMap(([from, shares]) =>
        [...shares].map(([to, messages]) => ({ from, to, messages })),
      ),
      taken: null,
      left: this.#left,
      trimmed: [...this.#trimmed].map(([consumer, messages]) => ({ consumer, messages })),
      removed: this.#removed,
    };
  }

  /** Moves one owner's messages as far as possible → whether nothing known is left. */
  async #handOver(owner: DeadConsumer): Promise<boolean> {
    const { dryRun, mayGoOn } = this.#context;
    let after: EntryId | null = null;
    let left = 0;
    do {
      if (!(await mayGoOn())) {
        // Nothing is wrong with them: the next clean-up continues here.
        const reason = "the clean-up ended before it reached them";
        if (this.#restOf(owner) > 0) this.#leave(owner, null, reason, { isTold: false });
        return false;
      }
      const page: Page = dryRun ? await this.#lookAtPage(owner, after) : await this.#movePage(owner, after);
      if (page.kind === "stays") {
        this.#leave(owner, null, page.reason);
        return false;
      }
      left += page.recent;
      after = page.lastId;
    } while (after !== null);
    if (left > 0) {
      this.#leave(owner, left, `they were delivered less than ${describeDuration(this.#minIdleMs(owner))} ago`);
    }
    return left === 0;
  }

  /** The minimum idle time of this owner's messages before they may move: an owner that was watched has no lease. */
  #minIdleMs({ seenAtMs, minIdleMs }: DeadConsumer): number {
    return seenAtMs === null ? minIdleMs : 0;
  }

  /** Releases one page, or hands it over to the consumer with the fewest pending messages. */
  async #movePage(owner: DeadConsumer, after: EntryId | null): Promise<Page> {
    const { client } = this.#context;
    const { consumer: from, seenAtMs, minIdleMs: foreignIdleMs } = owner;
    const to = this.#chooseNext();
    if (to === undefined) return this.#lookAtPage(owner, after);
    const move = { from, to, toUnregistered: true, foreignIdleMs, seenAtMs };
    const page = await client.handOverPage({ ...this.#address, ...move, after, count: this.#pageSize });
    // Any target is allowed, so only the owner's state can prevent it.
    if (page.kind === "refused") return { kind: "stays", reason: OWNER_IS_BACK };
    if (page.trimmed > 0) this.#countTrimmed(from, page.trimmed);
    if (page.moved > 0) this.#countMoved(from, to, page.moved);
    return { ...page, kind: "done" };
  }

  /** The name that gets the next page; `undefined` if there is none. */
  #chooseNext(): string | undefined {
    return this.#isReleased ? RELEASED : chooseNext(this.#targets, this.#loads)?.consumer;
  }

  /** Plans a page, and clears deleted entries; the only step if no consumer can take messages. */
  async #lookAtPage(owner: DeadConsumer, after: EntryId | null): Promise<Page> {
    const { client } = this.#context;
    const { consumer } = owner;
    const range = { from: after === null ? "-" : `(${after}`, to: "+", count: this.#pageSize };
    const page = await client.xpendingRange({ ...this.#address, consumer, ...range });
    const minIdleMs = this.#minIdleMs(owner);
    // An entry that was released by XNACK has no idle time, and may be taken at once.
    const ripe = page.filter(({ idleMs }) => idleMs < 0 || idleMs >= minIdleMs);
    const { trimmed, present } = this.#sort(ripe.map(({ id }) => id));
    if (trimmed.length > 0) await this.#clear(owner, trimmed);
    if (present.length > 0) {
      const to = this.#chooseNext();
      if (to === undefined) return { kind: "stays", reason: this.#noTarget };
      this.#countMoved(consumer, to, present.length);
    }
    const lastId = page.length < this.#pageSize ? null : (page.at(-1)?.id ?? null);
    return { kind: "done", recent: page.length - ripe.length, lastId };
  }

  /**
   * Clears pending entries of live foreign consumers that were deleted from the stream: nobody else does, and they would
   * prevent trimming forever. Registered consumers notice them by themselves.
   */
  async #clearTrimmed(): Promise<void> {
    const { report, dead } = this.#snapshot;
    if (!report.retention.pendingLost) return;
    const { client, policy, mayGoOn } = this.#context;
    const names = new Set(dead.map(({ consumer }) => consumer));
    for (const owner of report.consumers) {
      if (!owner.foreign || owner.pending === 0 || names.has(owner.consumer)) continue;
      const pages = pendingPages(client, { ...this.#address, consumer: owner.consumer, pageSize: PAGE });
      for await (const page of pages) {
        if (!(await mayGoOn())) return;
        const trimmed = new Set(this.#sort(page.map(({ id }) => id)).trimmed);
        // Their ids come first.
        if (trimmed.size === 0) break;
        const old = page.filter(({ id, idleMs }) => trimmed.has(id) && idleMs >= policy.foreignIdleMs);
        if (old.length > 0) {
          const ids = old.map(({ id }) => id);
          await this.#clear({ ...owner, seenAtMs: null, minIdleMs: policy.foreignIdleMs }, ids);
        }
      }
    }
  }

  /** Separates entries that were deleted from the stream from those that exist, as far as that is known. */
  #sort(ids: readonly EntryId[]): { readonly trimmed: readonly EntryId[]; readonly present: readonly EntryId[] } {
    const first = this.#firstEntryId;
    const isTrimmed = (id: EntryId): boolean => first === null || compareEntryIds(id, first) < 0;
    return { trimmed: ids.filter(isTrimmed), present: ids.filter((id) => !isTrimmed(id)) };
  }

  /** Clears pending entries whose messages were deleted: a claim, even by their own owner, drops them. */
  async #clear({ consumer, seenAtMs, minIdleMs }: DeadConsumer, ids: readonly EntryId[]): Promise<void> {
    const { client, dryRun } = this.#context;
    if (!dryRun) {
      const itself = { from: consumer, to: consumer, foreignIdleMs: minIdleMs, toUnregistered: true, seenAtMs };
      await client.handOver({ ...this.#address, ...itself, ids });
    }
    this.#countTrimmed(consumer, ids.length);
  }

  #countMoved(from: string, to: string, messages: number): void {
    const { dryRun, report } = this.#context;
    this.#loads.set(to, (this.#loads.get(to) ?? 0) + messages);
    const shares = this.#moves.get(from) ?? new Map<string, number>();
    shares.set(to, (shares.get(to) ?? 0) + messages);
    this.#moves.set(from, shares);
    if (!dryRun) report({ type: "handedOver", group: this.#address.group, from, to, messages });
  }

  #countTrimmed(consumer: string, messages: number): void {
    const { dryRun, report } = this.#context;
    this.#trimmed.set(consumer, (this.#trimmed.get(consumer) ?? 0) + messages);
    if (!dryRun) report({ type: "pendingTrimmed", group: this.#address.group, consumer, messages });
  }

  /** Records messages that stay with their owner; `null`: all that are not accounted for otherwise. */
  #leave(
    owner: DeadConsumer,
    messages: number | null,
    reason: string,
    { isTold = true }: { readonly isTold?: boolean } = {},
  ): void {
    const { dryRun, report } = this.#context;
    const { consumer } = owner;
    const left = { consumer, messages: messages ?? this.#restOf(owner), reason };
    this.#left.push(left);
    if (!dryRun && isTold) report({ type: "leftPending", group: this.#address.group, ...left });
  }

  /** How many of an owner's messages have neither moved nor trimmed. */
  #restOf({ consumer, pending }: DeadConsumer): number {
    const moved = [...(this.#moves.get(consumer)?.values() ?? [])].reduce((sum, share) => sum + share, 0);
    return Math.max(pending - moved - (this.#trimmed.get(consumer) ?? 0), 0);
  }

  async #remove({ consumer, seenAtMs }: DeadConsumer): Promise<void> {
    const { client, dryRun, report, mayGoOn } = this.#context;
    if (!(await mayGoOn())) return;
    if (!dryRun) {
      const removal = await client.removeIfEmpty({ ...this.#address, consumer, onlyIfSilent: true, seenAtMs });
      // It came back, or received messages: it stays, and the next clean-up checks again.
      if (removal !== "removed") return;
      report({ type: "consumerRemoved", group: this.#address.group, consumer });
    }
    this.#removed.push(consumer);
  }

  #describe(): string {
    const { moves, left, trimmed, removed } = this.result();
    const total = (counts: readonly { readonly messages: number }[]): number =>
      counts.reduce((sum, { messages }) => sum + messages, 0);
    const parts = [
      ...(moves.length > 0
        ? [`${describeMessages(total(moves))} ${this.#isReleased ? "released for any consumer" : "handed over"}`]
        : []),
      ...(trimmed.length > 0 ? [`${describeMessages(total(trimmed))} cleared because they had been deleted`] : []),
      ...(removed.length > 0 ? [`${describeCount(removed.length, "name")} removed`] : []),
      ...left.map(({ consumer, messages, reason }) => {
        return `${describeMessages(messages)} left with ${quoteName(consumer)}: ${reason}`;
      }),
    ];
    if (parts.length === 0) return "nothing moves: there is nothing left to clean up";
    return moves.length === 0 && left.length > 0 ? `nothing moves: ${parts.join("; ")}` : parts.join("; ");
  }
}
