import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { handOver } from "./hand-over.ts";

const options = {
  ...{ stream: "s", group: "g", from: "dead", to: "alive", ids: ["10-0", "9-0"] },
  ...{ foreignIdleMs: 600_000, toUnregistered: false },
};

test("touches the stream and the group's registry, and sends the ids in stream order", () => {
  expect(handOver.keys(options)).toEqual(["s", "rb:{s}:consumers:s:g"]);
  expect(handOver.encode(options)).toEqual(["g", "dead", "alive", 600_000, "", "", "9-0", "10-0"]);
  expect(handOver.encode({ ...options, toUnregistered: true })[4]).toBe("any");
});

test("asks nothing of the name that holds what is released", () => {
  expect(handOver.encode({ ...options, to: "rb:released" })[4]).toBe("any");
});

test("says which heartbeat was seen to stop, if one was", () => {
  expect(handOver.encode({ ...options, seenAtMs: 1_700_000_000_123 })[5]).toBe(1_700_000_000_123);
  expect(handOver.encode({ ...options, seenAtMs: null })[5]).toBe("");
});

test("says what moved, or why nothing did", () => {
  const words = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));
  expect(handOver.decode(words("moved", "9-0"), options)).toEqual({ kind: "moved", ids: ["9-0"] });
  expect(handOver.decode(words("moved"), options)).toEqual({ kind: "moved", ids: [] });
  for (const why of ["owner-alive", "target-unknown", "target-silent"]) {
    expect(handOver.decode(words(why), options)).toEqual({ kind: "refused", why });
  }
});

test.each([[[]], [["gone"]]])("%o is a surprise", (reply) => {
  expect(() => handOver.decode(reply, options)).toThrow(ReplyShapeError);
});
