import type { EntryId } from "@redis-batch/core";
import { ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { expect, it } from "vitest";
import { makeMessage } from "../../test/make-messages.ts";
import { makeScope } from "../../test/make-scope.ts";
import type { StreamEvent } from "../events.ts";
import { LeaseRenewer } from "./lease-renewer.ts";

const LEASE_MS = 3_000;
const nothing = (): void => {};

/** Two messages are held; each renewal finds them to be somebody else's. → those that are given up */
async function renewOnce(meanwhile: (hold: (id: EntryId) => void) => void): Promise<readonly string[]> {
  const clock = new ManualClock();
  const lost: string[] = [];
  const report = (event: StreamEvent): void => {
    if (event.type === "outcomeTooLate") lost.push(...event.ids);
  };
  const client = createMemoryServer({ clock }).client();
  const scope = makeScope({ policy: { leaseMs: LEASE_MS }, client, clock, report });
  const hold = (id: EntryId): void => scope.held.admit(makeMessage(id, { atMs: clock.nowMs() }));
  client.renewOwned = async ({ ids }) => {
    meanwhile(hold);
    return new Map(ids.map((id) => [id, "taken"] as const));
  };
  const renewer = new LeaseRenewer(scope);
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
