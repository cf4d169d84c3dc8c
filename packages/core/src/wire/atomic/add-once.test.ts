import { expect, test } from "vitest";
import { addOnce } from "./add-once.ts";

const options = { stream: "s", fields: ["f", "v"], idempotencyKey: "order:17", rememberMs: 86_400_000 };

test("touches the stream and its idempotency key, and sends what XADD would", () => {
  expect(addOnce.keys(options)).toEqual(["s", "rb:{s}:idem:s:order%3A17"]);
  expect(addOnce.encode(options)).toEqual([86_400_000, "*", "f", "v"]);
  const trim = { strategy: "maxLen", threshold: 5, approximate: true } as const;
  expect(addOnce.encode({ ...options, trim })).toEqual([86_400_000, "MAXLEN", "~", 5, "*", "f", "v"]);
});

test("says whether the message is new, and under which id it is known", () => {
  expect(addOnce.decode([Buffer.from("1-1"), 1], options)).toEqual({ id: "1-1", added: true });
  expect(addOnce.decode([Buffer.from("1-1"), 0], options)).toEqual({ id: "1-1", added: false });
});
