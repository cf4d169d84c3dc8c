import { Writable } from "node:stream";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { createLogger, transports } from "winston";
import { type LogLevel, logObserver, pinoObserver } from "./log-observer.ts";

type Line = readonly [level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>];

function lineOf(event: { readonly type: string }, levels = {}): Line | undefined {
  const lines: Line[] = [];
  logObserver((...line) => lines.push(line), { levels })(event);
  return lines[0];
}

const batchEnded = { type: "batchEnded", batchId: "a-1", messages: 3, unsettled: 0, durationMs: 7.5 };

test("an event is a line with its words, its type and its fields", () => {
  const { type: event, ...fields } = batchEnded;
  expect(lineOf(batchEnded)).toEqual(["debug", "batch ended", { event, ...fields }]);
});

describe("into a logger", () => {
  const collect = (): { readonly lines: () => unknown[]; readonly sink: Writable } => {
    let text = "";
    const sink = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk);
        done();
      },
    });
    return {
      lines: () =>
        text
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as unknown),
      sink,
    };
  };

  test("pino", () => {
    const { lines, sink } = collect();
    pinoObserver(pino({ level: "debug" }, sink))(batchEnded);
    expect(lines()).toMatchObject([
      { level: 20, msg: "batch ended", event: "batchEnded", batchId: "a-1", messages: 3 },
    ]);
  });

  test("winston", async () => {
    const { lines, sink } = collect();
    const logger = createLogger({ level: "debug", transports: [new transports.Stream({ stream: sink })] });
    logObserver((level, message, fields) => logger.log(level, message, fields))(batchEnded);
    logger.end();
    await new Promise((resolve) => logger.once("finish", resolve));
    expect(lines()).toMatchObject([{ level: "debug", message: "batch ended", batchId: "a-1", messages: 3 }]);
  });
});

test("what a handler threw is plain text with its place; what is no error is left out", () => {
  const failed = { type: "handlerFailed", batchId: "a-1", messages: 1 };
  const [level, message, { error }] = lineOf({ ...failed, error: new TypeError("no disk") } as never) as Line;
  expect([level, message]).toEqual(["warn", "handler failed"]);
  expect(error).toMatchObject({ code: "UNKNOWN", message: "TypeError: no disk" });
  expect((error as { readonly at: string }).at).toContain("log-observer.test");
  const card = { ...failed, error: { card: "4111-1111" } };
  expect(JSON.stringify(lineOf(card as never))).not.toContain("4111");
  expect(lineOf(card as never)?.[2]).toMatchObject({ error: { message: "the thrown value is not an error" } });
});

test.each([
  [{ type: "failed", error: { code: "CONNECTION", message: "away" } }, "error"],
  [{ type: "disconnected", role: "reader", reason: "lost" }, "info"],
  [{ type: "disconnected", role: "reader", reason: "closed" }, "debug"],
  [{ type: "deadLettered", id: "1-1", why: "rejected", error: "" }, "info"],
  [{ type: "deadLettered", id: "1-1", why: "hung", error: "" }, "warn"],
  [{ type: "groupCreated", position: "0", recreated: false }, "info"],
  [{ type: "groupCreated", position: "0", recreated: true }, "warn"],
  [{ type: "intakeHeld", by: "paused" }, "info"],
  [{ type: "intakeHeld", by: "ahead-of-stream" }, "warn"],
  [{ type: "workerEnded", pid: 7, reason: "", wasAsked: true }, "info"],
])("%o is of the level %s", (event, level) => {
  expect(lineOf(event)?.[0]).toBe(level);
});

test("levels can be changed by type, and events left out", () => {
  const levels = { read: "silent", started: "warn", toString: "error" } as const;
  expect(lineOf({ type: "read" }, levels)).toBeUndefined();
  expect(lineOf({ type: "started" }, levels)?.[0]).toBe("warn");
  expect(lineOf({ type: "constructor" }, levels)?.[0]).toBe("info");
});
