import type { EntryId } from "@redis-batch/core";
import { ManualClock } from "@redis-batch/test-support";
import { expect, it } from "vitest";
import { makeMessage } from "../../test/make-messages.ts";
import { HeldMessages } from "../scheduling/held-messages.ts";
import { LeaseRenewer } from "./lease-renewer.ts";

const LEASE_MS = 3_000;
const nothing = (): void => {};

/** Two messages are held; each renewal finds them to be somebody else's. → those that are given up */
async function renewOnce(meanwhile: (hold: (id: EntryId) => void) => void): Promise<readonly string[]> {
  const clock = new ManualClock();
  const held = new HeldMessages<Readonly<Record<string, string>>>(nothing);
  const hold = (id: EntryId): void => held.admit(makeMessage(id, { atMs: clock.nowMs() }));
  const lost: string[] = [];
  const renewer = new LeaseRenewer({
    policy: { stream: "orders", group: "billing", name: "me", leaseMs: LEASE_MS },
    client: {
      renewOwned: async ({ ids }) => {
        meanwhile(hold);
        return new Map(ids.map((id) => [id, "taken"] as const));
      },
    },
    held,
    clock,
    report: nothing,
    fail: nothing,
    loseLease: (id) => void lost.push(id),
    onCertain: nothing,
    compare: nothing,
  });
  hold("1-1");
  hold("1-2");
  await clock.advance(1);
  renewer.start();
  await clock.advance(LEASE_MS / 3);
  await renewer.stop();
  return lost;
}

it("gives up what a renewal finds to be somebody else's", async () => {
  expect(await renewOnce(nothing)).toEqual(["1-1", "1-2"]);
});

it("keeps what was taken again while the renewal was under way: that is about the delivery before", async () => {
  expect(await renewOnce((hold) => hold("1-2"))).toEqual(["1-1"]);
});
