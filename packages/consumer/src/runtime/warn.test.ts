import { afterEach, expect, it, vi } from "vitest";
import type { ConsumerEvent } from "../events.ts";
import { warnOfTrouble } from "./warn.ts";

const error = { code: "CONNECTION", message: "it is away" } as const;

const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
afterEach(() => warned.mockClear());

it.each<ConsumerEvent>([
  { type: "heldTooLong", messages: 3, hung: 1 },
  { type: "unfit", failures: 5, succeededElsewhere: 2 },
  { type: "releaseFailed", messages: 3, retryInMs: 50, error },
  { type: "delaysInMemory", error },
  { type: "intakeHeld", by: "ahead-of-stream" },
  { type: "deadLettered", id: "1-0", why: "hung" },
])("warns once, under the event's name, of what somebody has to look at ($type)", (event) => {
  warnOfTrouble(event);
  expect(warned.mock.calls.map(([, options]) => options)).toEqual([{ type: "RedisBatchWarning", code: event.type }]);
});

it.each<ConsumerEvent>([
  { type: "fit" },
  { type: "intakeOpened" },
  { type: "intakeHeld", by: "paused" },
  { type: "released", messages: 3, why: "draining" },
  { type: "scheduled", messages: 3 },
  { type: "taken", messages: 3 },
  { type: "deadLettered", id: "1-0", why: "rejected" },
])("does not warn of what is as it should be ($type)", (event) => {
  warnOfTrouble(event);
  expect(warned).not.toHaveBeenCalled();
});
