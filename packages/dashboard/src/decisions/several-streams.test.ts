import { expect, it } from "vitest";
import { findStreamsOfConsumers, otherStreamsOf } from "./several-streams.ts";

const one = (consumer: string, pid: number | null = 7) => ({ consumer, host: "box", pid });
const seen = (stream: string, group: string, ...consumers: ReturnType<typeof one>[]) => ({
  ...{ stream, groups: [{ group, consumers }] },
});

it("finds the other streams of a consumer, by its group, name and process", () => {
  const reports = [
    seen("us", "billing", one("a"), one("b")),
    seen("eu", "billing", one("a"), one("b", 8)),
    seen("asia", "billing", one("a")),
    // Another group, and somebody who does not say who he is.
    seen("logs", "audit", one("a"), one("c", null)),
    seen("more", "audit", one("c", null)),
  ];
  const streams = findStreamsOfConsumers(reports);
  expect(otherStreamsOf({ stream: "eu", group: "billing", consumers: [one("a"), one("b", 8)] }, streams)).toEqual({
    a: ["asia", "us"],
  });
  expect(otherStreamsOf({ stream: "logs", group: "audit", consumers: [one("a"), one("c", null)] }, streams)).toEqual(
    {},
  );
});
