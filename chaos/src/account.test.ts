import { expect, test } from "vitest";
import { describeOverdue, summariseOverdue } from "./account.ts";
import type { OverdueMessage } from "./liveness/liveness.ts";

function overdue(changes: Partial<OverdueMessage>): OverdueMessage {
  return {
    ...{ key: "p0-1", id: "1-1", class: "new", worker: "w1.1", fromMs: 12_340 },
    ...{ waitedMs: 9_000.4, allowedMs: 750, holders: [], ...changes },
  };
}

test("an overdue message tells who could have worked on it, since when, and whose it was", () => {
  expect(describeOverdue(overdue({ holders: ["w0.1", "w2.1"] }), 10_000)).toEqual({
    ...{ kind: "overdue", key: "p0-1", id: "1-1" },
    text: "new, it waited 9000 ms from 2.3 s on while w1.1 was free (750 ms are allowed); held by w0.1, w2.1",
  });
  expect(describeOverdue(overdue({}), 0).text).toContain("no worker held it");
});

test("those that waited together are one line", () => {
  const held = { class: "orphaned", holders: ["w0.1"] } as const;
  const all = [
    overdue({}),
    overdue({ ...held, fromMs: 15_000 }),
    overdue({ ...held, fromMs: 14_000, waitedMs: 12_000 }),
  ];
  expect(summariseOverdue(all, 10_000)).toEqual([
    "1 overdue: new, no worker held it, from 2.3 s on, 9000 ms at worst",
    "2 overdue: orphaned, held by w0.1, from 4.0 s on, 12000 ms at worst",
  ]);
});
