/** How far a stream can be trimmed without losing messages of a group, and what was already lost. */
import { compareEntryIds, type EntryId } from "@redis-batch/core";
import { describeMessages } from "@redis-batch/core/internal/errors";
import { quoteName } from "@redis-batch/core/internal/names";
import type { GroupRetention, RetentionReport } from "../report.ts";

export interface GroupNeeds {
  readonly group: string;
  readonly firstPendingId: EntryId | null;
  readonly lastDeliveredId: EntryId;
  /** How many entries the group has read; `null` if the server does not know. */
  readonly entriesRead: number | null;
}

export interface StreamRemains {
  readonly length: number;
  readonly entriesAdded: number;
  readonly firstEntryId: EntryId | null;
}

export interface RetentionVerdict {
  readonly groups: ReadonlyMap<string, GroupRetention>;
  readonly stream: RetentionReport;
}

/** Judges all groups of a stream together: an entry that one has finished may be needed by another. */
export function decideRetention(needs: readonly GroupNeeds[], remains: StreamRemains): RetentionVerdict {
  const ordered = needs.toSorted((left, right) => (left.group < right.group ? -1 : 1));
  let pin: { readonly group: string; readonly id: EntryId } | undefined;
  for (const need of ordered) {
    const id = neededFrom(need);
    if (pin === undefined || compareEntryIds(id, pin.id) < 0) pin = { group: need.group, id };
  }
  const groups = new Map(
    ordered.map((need) => {
      const retention: GroupRetention = {
        neededFromId: neededFrom(need),
        pins: need.group === pin?.group,
        unreadLost: countUnreadLost(need, remains),
        pendingLost: isPendingLost(need, remains),
      };
      return [need.group, retention];
    }),
  );
  const warnings = [...groups].flatMap(([group, retention]) => warn(group, retention));
  return { groups, stream: { safeId: pin?.id ?? null, pinnedBy: pin?.group ?? null, warnings } };
}

// A group that was moved back has both: pending messages, and messages that it reads again.
function neededFrom({ firstPendingId, lastDeliveredId }: GroupNeeds): EntryId {
  if (firstPendingId === null) return lastDeliveredId;
  return compareEntryIds(firstPendingId, lastDeliveredId) < 0 ? firstPendingId : lastDeliveredId;
}

// Entries that were neither read nor still exist were removed unread. There may be more: it is unknown which of the
// read entries still exist.
function countUnreadLost({ entriesRead }: GroupNeeds, { entriesAdded, length }: StreamRemains): number | null {
  return entriesRead === null ? null : Math.max(entriesAdded - length - entriesRead, 0);
}

function isPendingLost({ firstPendingId }: GroupNeeds, { firstEntryId }: StreamRemains): boolean {
  if (firstPendingId === null) return false;
  return firstEntryId === null || compareEntryIds(firstPendingId, firstEntryId) < 0;
}

function warn(group: string, { unreadLost, pendingLost }: GroupRetention): readonly string[] {
  const name = quoteName(group);
  const advice = "look for a producer with MAXLEN, or an XTRIM";
  const warnings: string[] = [];
  if (unreadLost !== null && unreadLost > 0) {
    const lost = `at least ${describeMessages(unreadLost)}`;
    warnings.push(`${lost} were removed from the stream before the group ${name} had read them: ${advice}`);
  }
  if (pendingLost) {
    warnings.push(`messages were removed from the stream while they were pending in the group ${name}: ${advice}`);
  }
  return warnings;
}
