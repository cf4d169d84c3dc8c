import { expect, test } from "vitest";
import { Admission } from "./admission.ts";

test("messages fit up to their number", () => {
  const admission = new Admission({ maxQueued: 2, maxQueuedBytes: 1_000 });
  admission.enter(1);
  expect(admission.fits(1)).toBe(true);
  admission.enter(1);
  expect(admission.fits(1)).toBe(false);
  admission.leave(1);
  expect(admission.fits(1)).toBe(true);
});

test("messages fit up to their bytes", () => {
  const admission = new Admission({ maxQueued: 100, maxQueuedBytes: 1_000 });
  admission.enter(400);
  expect(admission.fits(600)).toBe(true);
  expect(admission.fits(601)).toBe(false);
});

test("a message larger than all the room fits when it is alone", () => {
  const admission = new Admission({ maxQueued: 100, maxQueuedBytes: 1_000 });
  expect(admission.fits(5_000)).toBe(true);
  admission.enter(5_000);
  expect(admission.fits(1)).toBe(false);
});

test("a source that can wait leaves half of the room to those who cannot", () => {
  const admission = new Admission({ maxQueued: 4, maxQueuedBytes: 1_000 });
  admission.enter(1);
  expect(admission.hasRoomForMany).toBe(true);
  admission.enter(1);
  expect(admission.hasRoomForMany).toBe(false);
  expect(admission.fits(1)).toBe(true);
});

test("a change comes with the end of the next message", async () => {
  const admission = new Admission({ maxQueued: 4, maxQueuedBytes: 1_000 });
  await admission.change();
  admission.enter(10);
  const change = admission.change();
  admission.leave(10);
  await change;
  expect(admission).toMatchObject({ messages: 0, bytes: 0 });
});
