import { describe, expect, it } from "vitest";
import { logConsumerEvents } from "./consumer-log.ts";

describe("logConsumerEvents", () => {
  const logged: unknown[][] = [];
  const observe = logConsumerEvents((...line) => logged.push(line));

  it("leaves out what happens with every batch, and the end of its own connections", () => {
    observe({ type: "read", stream: "orders", messages: 10, bytes: 100 });
    observe({ type: "acknowledged", stream: "orders", messages: 10 });
    observe({ type: "disconnected", role: "reader", reason: "closed" });
    expect(logged).toEqual([]);
  });

  it("writes trouble as trouble, and the rest as information", () => {
    const error = new Error("the database is away");
    observe({ type: "started", consumer: "worker-1" });
    observe({ type: "disconnected", role: "reader", reason: "lost" });
    observe({ type: "handlerFailed", stream: "orders", messages: 3, error });
    expect(logged).toEqual([
      ["info", "started", { consumer: "worker-1" }],
      ["warn", "disconnected", { role: "reader", reason: "lost" }],
      ["error", "handlerFailed", { stream: "orders", messages: 3, error }],
    ]);
  });

  it("writes nothing of what was thrown that is no error", () => {
    logged.length = 0;
    observe({ type: "handlerFailed", stream: "orders", messages: 3, error: { password: "hunter2" } });
    expect(logged).toEqual([
      ["error", "handlerFailed", { stream: "orders", messages: 3, error: "the thrown value is not an error" }],
    ]);
  });
});
