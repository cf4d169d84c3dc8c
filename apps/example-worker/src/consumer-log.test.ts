import { describe, expect, it } from "vitest";
import { logConsumerEvents } from "./consumer-log.ts";

describe("logConsumerEvents", () => {
  const logged: unknown[][] = [];
  const observe = logConsumerEvents((...line) => logged.push(line));

  it("leaves out what happens with every batch", () => {
    observe({ type: "read", messages: 10, bytes: 100 });
    observe({ type: "acknowledged", messages: 10 });
    expect(logged).toEqual([]);
  });

  it("writes trouble as trouble, and the rest as information", () => {
    const error = new Error("the database is away");
    observe({ type: "started", consumer: "worker-1" });
    observe({ type: "disconnected", role: "reader", reason: "ended" });
    observe({ type: "handlerFailed", messages: 3, error });
    expect(logged).toEqual([
      ["info", "started", { consumer: "worker-1" }],
      ["warn", "disconnected", { role: "reader", reason: "ended" }],
      ["error", "handlerFailed", { messages: 3, error }],
    ]);
  });
});
