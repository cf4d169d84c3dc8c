import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { SharedAborts } from "./shared-aborts.ts";

test("all items of a signal share one listener, which goes with the last of them", () => {
  const aborts = new SharedAborts<string>(() => {});
  const { signal } = new AbortController();
  aborts.add("a", signal);
  aborts.add("b", signal);
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  aborts.delete("a", signal);
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  aborts.delete("b", signal);
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("an abort reaches the items of its signal that are left, once", () => {
  const reached: unknown[] = [];
  const aborts = new SharedAborts<string>((item, reason) => reached.push([item, reason]));
  const [one, other] = [new AbortController(), new AbortController()];
  aborts.add("a", one.signal);
  aborts.add("b", one.signal);
  aborts.add("c", other.signal);
  aborts.delete("a", one.signal);
  one.abort("why");
  one.abort("again");
  expect(reached).toEqual([["b", "why"]]);
});

test("an item may be deleted by the reaction to its own abort", () => {
  const { signal, abort } = linked();
  const aborts = new SharedAborts<string>((item) => aborts.delete(item, signal));
  aborts.add("a", signal);
  expect(() => abort()).not.toThrow();
});

function linked(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
