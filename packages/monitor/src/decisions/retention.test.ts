import { compareEntryIds } from "@redis-batch/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideRetention, type GroupNeeds } from "./retention.ts";

const remains = { length: 10, entriesAdded: 10, firstEntryId: "1-0" };
const need = (group: string, needs: Partial<GroupNeeds> = {}): GroupNeeds => ({
  ...{ group, firstPendingId: null, lastDeliveredId: "5-0", entriesRead: 5 },
  ...needs,
});

describe("decideRetention", () => {
  it("keeps from the oldest pending entry of any group on, and names that group", () => {
    const { stream, groups } = decideRetention([need("b", { firstPendingId: "3-0" }), need("a")], remains);
    expect(stream).toEqual({ safeId: "3-0", pinnedBy: "b", warnings: [] });
    expect(groups.get("b")).toEqual({ neededFromId: "3-0", pins: true, unreadLost: 0, pendingLost: false });
    expect(groups.get("a")).toMatchObject({ neededFromId: "5-0", pins: false });
  });

  it("keeps all that a group has yet to read, even one that was set back behind what it has pending", () => {
    const { stream } = decideRetention([need("a"), need("new", { lastDeliveredId: "0-0", entriesRead: 0 })], remains);
    expect(stream).toMatchObject({ safeId: "0-0", pinnedBy: "new" });
    const setBack = need("a", { firstPendingId: "4-0", lastDeliveredId: "2-0", entriesRead: null });
    expect(decideRetention([setBack], remains).stream.safeId).toBe("2-0");
  });

  it("without a group knows of nothing that is done with", () => {
    expect(decideRetention([], remains).stream).toEqual({ safeId: null, pinnedBy: null, warnings: [] });
  });

  it("of several groups that need the same names the first", () => {
    expect(decideRetention([need("b"), need("a")], remains).stream.pinnedBy).toBe("a");
  });

  it("warns when entries were removed before a group had read them", () => {
    const trimmed = { length: 2, entriesAdded: 10, firstEntryId: "9-0" };
    const { groups, stream } = decideRetention([need("a"), need("b", { entriesRead: null })], trimmed);
    expect(groups.get("a")?.unreadLost).toBe(3);
    expect(groups.get("b")?.unreadLost).toBeNull();
    expect(stream.warnings).toEqual([
      'at least 3 messages were removed from the stream before the group "a" had read them: look for a producer with MAXLEN, or an XTRIM',
    ]);
  });

  it("warns when pending entries were removed", () => {
    const cut = [need("a", { firstPendingId: "3-0" })];
    for (const firstEntryId of ["4-0", null]) {
      const { groups, stream } = decideRetention(cut, { ...remains, firstEntryId });
      expect(groups.get("a")?.pendingLost).toBe(true);
      expect(stream.warnings).toHaveLength(1);
    }
  });

  it("never lets go of an entry that a group needs", () => {
    const id = fc.integer({ min: 0, max: 20 }).map((ms) => `${ms}-0`);
    const groups = fc.array(
      fc.record({ lastDeliveredId: id, firstPendingId: fc.option(id, { nil: null }), entriesRead: fc.constant(null) }),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(groups, (needs) => {
        const named = needs.map((one, index) => ({ ...one, group: `g${index}` }));
        const safeId = decideRetention(named, remains).stream.safeId ?? "99-0";
        for (const { lastDeliveredId, firstPendingId } of named) {
          expect(compareEntryIds(safeId, lastDeliveredId)).toBeLessThanOrEqual(0);
          expect(compareEntryIds(safeId, firstPendingId ?? safeId)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });
});
