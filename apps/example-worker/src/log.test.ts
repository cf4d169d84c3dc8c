import { describe, expect, it } from "vitest";
import { createLog } from "./log.ts";

describe("createLog", () => {
  const lines: string[] = [];
  const log = createLog(
    (line) => lines.push(line),
    () => new Date(0),
  );

  it("writes one JSON line per event", () => {
    log("info", "stored", { messages: 100 });
    expect(lines.pop()).toBe('{"at":"1970-01-01T00:00:00.000Z","level":"info","event":"stored","messages":100}\n');
  });

  it("writes errors as text, at any depth", () => {
    log("error", "ended", { reason: new TypeError("no such thing"), nested: { error: new Error("away\nfor now") } });
    expect(JSON.parse(lines.pop() ?? "")).toMatchObject({
      reason: "TypeError: no such thing",
      nested: { error: "Error: away\nfor now" },
    });
  });
});
