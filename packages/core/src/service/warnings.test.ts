import { ManualClock } from "@redis-batch/test-support";
import { afterEach, expect, test, vi } from "vitest";
import { nameService, warningObserver } from "./warnings.ts";

interface Event {
  readonly type: string;
  readonly text?: string;
}

const emitted = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
afterEach(() => emitted.mockClear());

const lines = (): string[] => emitted.mock.calls.map(([text]) => String(text));

function observer() {
  const clock = new ManualClock();
  const tell = warningObserver<Event>(nameService("consumer", "orders", "billing"), ({ text }) => text, clock);
  return { clock, tell };
}

test("trouble is one line for each kind and minute, which says whose it is; the rest is counted", async () => {
  const { clock, tell } = observer();
  for (let index = 1; index <= 300; index++) tell({ type: "deadLettered", text: `letter ${index}` });
  tell({ type: "outcomeTooLate", text: "lost" });
  tell({ type: "read" });
  expect(emitted.mock.calls).toEqual([
    ['consumer of "orders", group "billing": letter 1', { type: "RedisBatchWarning", code: "deadLettered" }],
    ['consumer of "orders", group "billing": lost', { type: "RedisBatchWarning", code: "outcomeTooLate" }],
  ]);
  await clock.advance(60_000);
  expect(lines().slice(2)).toEqual([
    'consumer of "orders", group "billing": letter 300 (the last of 299 similar warnings within a minute)',
  ]);
  // The minute after that one begins with the summary.
  tell({ type: "deadLettered", text: "letter 301" });
  expect(lines()).toHaveLength(3);
  await clock.advance(60_000);
  expect(lines().at(-1)).toBe('consumer of "orders", group "billing": letter 301');
  await clock.advance(120_000);
  expect(lines()).toHaveLength(4);
  expect(clock.pending).toBe(0);
});

test.each(["stopped", "closed"])("what was counted is told when the service has ended (%s)", (end) => {
  const { clock, tell } = observer();
  for (const text of ["a", "b", "c"]) tell({ type: "outcomeTooLate", text });
  tell({ type: end });
  expect(lines().at(-1)).toContain("c (the last of 2 similar warnings");
  expect(clock.pending).toBe(0);
});

test("a line is one line, of a bounded length, and gives no orders to a terminal", () => {
  observer().tell({ type: "outcomeTooLate", text: `a\nb\r\n\u001B[2J\u0007${"x".repeat(5_000)}` });
  const [line = ""] = lines();
  expect(line).toMatch(/: a b \[2J x+…$/);
  expect(line.length).toBeLessThan(1_100);
});

test("a service without a group names its stream", () => {
  expect(nameService("producer", 'a "b"')).toBe('producer of "a \\"b\\""');
});
