/**
 * Hands over what the dead left, page by page, and removes their names. Each page is safe by itself: the script that
 * moves it looks at the owner's lease and the target's heartbeat again, and a name goes only with nothing pending. So two
 * monitors, or one that went to sleep in the middle, do no harm.
 */
import {
  compareEntryIds,
  type EntryId,
  type HandOverRefusal,
  NoGroupError,
  pendingPages,
  type StreamClient,
} from "@redis-batch/core/internal";
import type { GroupCleanUp, LeftBehind } from "./clean-up-report.ts";
import { describeDuration, describeMessages } from "./decisions/duration.ts";
import { decideGrace } from "./decisions/grace.ts";
import { chooseNext, chooseTargets, decidePageSize, type HandOverTarget } from "./decisions/hand-over.ts";
import type { MonitorEvent } from "./events.ts";
import type { GroupSight } from "./inspect.ts";
import type { MonitorPolicy } from "./options.ts";
import type { ConsumerReport } from "./report.ts";

export interface CleanUpContext {
  readonly client: StreamClient;
  readonly policy: MonitorPolicy;
  readonly dryRun: boolean;
  readonly report: (event: MonitorEvent) => void;
  /** Asked before each page; what is not done by then is left. */
  readonly mayGoOn: () => Promise<boolean>;
  /** How steady the connection is. */
  readonly steadiness: () => { readonly connectedSinceMs: number | null; readonly nowMs: number };
}

// Small pages: ids only, less than a millisecond at the server each.
const LOST_AT_ONCE = 100;

const REFUSALS: Readonly<Record<HandOverRefusal, string>> = {
  "owner-alive": "it is back: its heartbeat is fresh",
  "target-unknown": "the consumer it was to go to is not registered any more",
  "target-silent": "the consumer it was to go to has fallen silent",
};

/** Cleans one group up, or plans it. */
export async function cleanUpGroup(
  context: CleanUpContext,
  sight: GroupSight,
  firstEntryId: EntryId | null,
): Promise<GroupCleanUp> {
  const { policy, steadiness } = context;
  const { group } = sight.report;
  const nothing = { group, moves: [], left: [], vanished: [], removed: [] };
  const isLost = sight.report.retention.pendingLost;
  if (sight.gone.length === 0 && sight.orphans.length === 0 && !isLost) {
    return { ...nothing, reason: "there is nothing to clean up: no consumer is dead" };
  }
  const grace = decideGrace({ ...steadiness(), leasesMs: sight.leasesMs }, policy);
  if (grace !== null) return { ...nothing, reason: `nothing moves: ${grace}` };
  const cleaning = new GroupCleaning(context, sight, firstEntryId);
  try {
    return await cleaning.run();
  } catch (error) {
    if (!NoGroupError.is(error)) throw error;
    return { ...cleaning.result(), reason: "the group is not there any more" };
  }
}

class GroupCleaning {
  readonly #context: CleanUpContext;
  readonly #sight: GroupSight;
  readonly #firstEntryId: EntryId | null;
  readonly #address: { readonly stream: string; readonly group: string };
  readonly #noTarget: string;
  #targets: readonly HandOverTarget[];
  readonly #loads: Map<string, number>;
  readonly #moves = new Map<string, Map<string, number>>();
  readonly #left: LeftBehind[] = [];
  readonly #vanished = new Map<string, number>();
  readonly #removed: string[] = [];
  readonly #pageSize: number;

  constructor(context: CleanUpContext, sight: GroupSight, firstEntryId: EntryId | null) {
    const { policy } = context;
    this.#context = context;
    this.#sight = sight;
    this.#firstEntryId = firstEntryId;
    this.#address = { stream: policy.stream, group: sight.report.group };
    const choice = chooseTargets(sight.report.consumers, policy.handOverTo);
    this.#targets = choice.kind === "targets" ? choice.targets : [];
    this.#noTarget = choice.kind === "none" ? choice.reason : "no healthy consumer is left to hand messages to";
    this.#loads = new Map(this.#targets.map(({ consumer, pending }) => [consumer, pending]));
    const messages = sight.gone.reduce((sum, { pending }) => sum + pending, 0);
    this.#pageSize = decidePageSize(messages, this.#targets.length);
  }

  async run(): Promise<GroupCleanUp> {
    for (const owner of this.#sight.gone) {
      if (owner.pending > 0 && !(await this.#handOver(owner))) continue;
      await this.#remove(owner.consumer);
    }
    for (const orphan of this.#sight.orphans) await this.#remove(orphan);
    await this.#clearLost();
    return { ...this.result(), reason: this.#describe() };
  }

  result(): Omit<GroupCleanUp, "reason"> {
    return {
      group: this.#address.group,
      moves: [...this.#moves].flatMap(([from, shares]) =>
        [...shares].map(([to, messages]) => ({ from, to, messages })),
      ),
      left: this.#left,
      vanished: [...this.#vanished].map(([consumer, messages]) => ({ consumer, messages })),
      removed: this.#removed,
    };
  }

  /** Moves what can be moved of one owner → whether nothing that it knows of is left. */
  async #handOver(owner: ConsumerReport): Promise<boolean> {
    const { client, mayGoOn, policy } = this.#context;
    const minIdleMs = owner.leaseMs ?? policy.foreignIdleMs;
    const pages = pendingPages(client, { ...this.#address, consumer: owner.consumer, pageSize: this.#pageSize });
    let left = 0;
    let why = "";
    for await (const page of pages) {
      if (!(await mayGoOn())) {
        // Nothing is wrong with them: the next clean-up goes on here.
        this.#leave(owner, null, "the clean-up was ended before it came to them", { isTold: false });
        return false;
      }
      const { gone, there } = this.#sort(page.map(({ id }) => id));
      if (gone.length > 0) await this.#clear(owner, gone);
      const idle = new Map(page.map(({ id, idleMs }) => [id, idleMs]));
      // An entry that was given back to nobody (XNACK) has no idle time, and may be taken at once.
      const ripe = there.filter((id) => (idle.get(id) ?? 0) < 0 || (idle.get(id) ?? 0) >= minIdleMs);
      if (ripe.length < there.length) {
        left += there.length - ripe.length;
        why = `they were delivered less than ${describeDuration(minIdleMs)} ago`;
      }
      if (ripe.length === 0) continue;
      const refusal = await this.#move(owner, ripe);
      if (refusal !== undefined) {
        this.#leave(owner, null, refusal);
        return false;
      }
    }
    if (left > 0) this.#leave(owner, left, why);
    return left === 0;
  }

  /**
   * Clears what was trimmed away from under living foreign consumers: nobody else will, and it would pin the stream for
   * ever. Ours notice by themselves.
   */
  async #clearLost(): Promise<void> {
    const { report, gone } = this.#sight;
    if (!report.retention.pendingLost) return;
    const { client, policy, mayGoOn } = this.#context;
    const names = new Set(gone.map(({ consumer }) => consumer));
    for (const owner of report.consumers) {
      if (!owner.foreign || owner.pending === 0 || names.has(owner.consumer)) continue;
      const pages = pendingPages(client, { ...this.#address, consumer: owner.consumer, pageSize: LOST_AT_ONCE });
      for await (const page of pages) {
        if (!(await mayGoOn())) return;
        const lost = new Set(this.#sort(page.map(({ id }) => id)).gone);
        // They come first, by their ids.
        if (lost.size === 0) break;
        const old = page.filter(({ id, idleMs }) => lost.has(id) && idleMs >= policy.foreignIdleMs);
        if (old.length > 0) {
          await this.#clear(
            owner,
            old.map(({ id }) => id),
          );
        }
      }
    }
  }

  /** Parts what was trimmed away underneath from what is still in the stream, as far as that is known. */
  #sort(ids: readonly EntryId[]): { readonly gone: readonly EntryId[]; readonly there: readonly EntryId[] } {
    const first = this.#firstEntryId;
    const isGone = (id: EntryId): boolean => first === null || compareEntryIds(id, first) < 0;
    return { gone: ids.filter(isGone), there: ids.filter((id) => !isGone(id)) };
  }

  /** Clears entries of the pending list whose messages are gone: a claim, even by their own owner, drops them. */
  async #clear({ consumer }: ConsumerReport, ids: readonly EntryId[]): Promise<void> {
    const { client, policy, dryRun } = this.#context;
    if (!dryRun) {
      const itself = { from: consumer, to: consumer, foreignIdleMs: policy.foreignIdleMs, toUnregistered: true };
      await client.handOver({ ...this.#address, ...itself, ids });
    }
    this.#count(consumer, ids.length);
  }

  /** Gives one page to whoever has the fewest pending → why the owner keeps it, if it does. */
  async #move(owner: ConsumerReport, ids: readonly EntryId[]): Promise<string | undefined> {
    const { client, policy, dryRun, report } = this.#context;
    for (;;) {
      const target = chooseNext(this.#targets, this.#loads);
      if (target === undefined) return this.#noTarget;
      const move = { from: owner.consumer, to: target.consumer, toUnregistered: target.foreign };
      const outcome = dryRun
        ? ({ kind: "moved", ids } as const)
        : await client.handOver({ ...this.#address, ...move, ids, foreignIdleMs: policy.foreignIdleMs });
      if (outcome.kind === "refused") {
        if (outcome.why === "owner-alive") return REFUSALS[outcome.why];
        this.#targets = this.#targets.filter(({ consumer }) => consumer !== target.consumer);
        continue;
      }
      const messages = outcome.ids.length;
      if (messages < ids.length) await this.#lookAfter(owner, ids, new Set(outcome.ids));
      if (messages === 0) return undefined;
      this.#loads.set(target.consumer, (this.#loads.get(target.consumer) ?? 0) + messages);
      const shares = this.#moves.get(owner.consumer) ?? new Map<string, number>();
      shares.set(target.consumer, (shares.get(target.consumer) ?? 0) + messages);
      this.#moves.set(owner.consumer, shares);
      const { group } = this.#address;
      if (!dryRun) report({ type: "handedOver", group, from: owner.consumer, to: target.consumer, messages });
      return undefined;
    }
  }

  /** Finds out which of those that did not move are gone from the stream; the claim has dropped them from the list. */
  async #lookAfter({ consumer }: ConsumerReport, ids: readonly EntryId[], moved: ReadonlySet<EntryId>): Promise<void> {
    const { client } = this.#context;
    const { stream } = this.#address;
    let gone = 0;
    for (const id of ids) {
      if (moved.has(id)) continue;
      const entries = await client.xrange({ stream, from: id, to: id, count: 1 });
      if (entries.length === 0) gone++;
    }
    if (gone > 0) this.#count(consumer, gone);
  }

  #count(consumer: string, messages: number): void {
    const { dryRun, report } = this.#context;
    this.#vanished.set(consumer, (this.#vanished.get(consumer) ?? 0) + messages);
    if (!dryRun) report({ type: "vanished", group: this.#address.group, consumer, messages });
  }

  /** Notes what stays with its owner; `null`: all that was not accounted for otherwise. */
  #leave(
    { consumer, pending }: ConsumerReport,
    messages: number | null,
    reason: string,
    { isTold = true }: { readonly isTold?: boolean } = {},
  ): void {
    const { dryRun, report } = this.#context;
    const moved = [...(this.#moves.get(consumer)?.values() ?? [])].reduce((sum, share) => sum + share, 0);
    const rest = messages ?? Math.max(pending - moved - (this.#vanished.get(consumer) ?? 0), 0);
    this.#left.push({ consumer, messages: rest, reason });
    const { group } = this.#address;
    if (!dryRun && isTold) report({ type: "leftPending", group, consumer, messages: rest, reason });
  }

  async #remove(consumer: string): Promise<void> {
    const { client, dryRun, report, mayGoOn } = this.#context;
    if (!(await mayGoOn())) return;
    if (!dryRun) {
      const removal = await client.removeIfEmpty({ ...this.#address, consumer, onlyIfSilent: true });
      // It came back, or was given something: it stays, and the next clean-up looks again.
      if (removal !== "removed") return;
      report({ type: "consumerRemoved", group: this.#address.group, consumer });
    }
    this.#removed.push(consumer);
  }

  #describe(): string {
    const { moves, left, vanished, removed } = this.result();
    const total = (counts: readonly { readonly messages: number }[]): number =>
      counts.reduce((sum, { messages }) => sum + messages, 0);
    const parts = [
      ...(moves.length > 0 ? [`${describeMessages(total(moves))} handed over`] : []),
      ...(vanished.length > 0 ? [`${describeMessages(total(vanished))} cleared that had been deleted`] : []),
      ...(removed.length > 0 ? [`${removed.length} ${removed.length === 1 ? "name" : "names"} removed`] : []),
      ...left.map(({ consumer, messages, reason }) => {
        return `${describeMessages(messages)} left with ${JSON.stringify(consumer)}: ${reason}`;
      }),
    ];
    if (parts.length === 0) return "nothing moves: there is nothing left to clean up";
    return moves.length === 0 && left.length > 0 ? `nothing moves: ${parts.join("; ")}` : parts.join("; ");
  }
}
