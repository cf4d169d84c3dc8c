import { expect, test } from "vitest";
import { eventually } from "./eventually.ts";

test("yields what the check yields once it holds, however often it failed or threw before", async () => {
  const looks: (() => string | undefined)[] = [
    () => undefined,
    () => {
      throw new Error("LOADING");
    },
    () => "up",
  ];
  expect(await eventually("the server is up", () => looks.shift()?.())).toBe("up");
});

test("gives up at its limit, saying what it waited for and what it saw last", async () => {
  await expect(eventually("the replica follows", () => 0, { timeoutMs: 0 })).rejects.toThrow(
    "not within 0 ms: the replica follows (last look: 0)",
  );
  const refused = () => Promise.reject(new Error("refused"));
  await expect(eventually("it answers", refused, { timeoutMs: 0 })).rejects.toThrow("(last look: Error: refused)");
});
