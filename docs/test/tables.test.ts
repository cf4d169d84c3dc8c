import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as core from "@redis-batch/core";
import { METRICS } from "@redis-batch/monitor";
import { decide, emptyMemory, resolveScalingOptions, ScaleBoard } from "@redis-batch/scaler";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { codeWords, tableBelow } from "./markdown.ts";

const file = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** The members of a union of events: its `type`, and the names of its other fields. */
function eventsOf(path: string, union: string): Map<string, string[]> {
  const source = file(path);
  const program = ts.createProgram([source], {
    customConditions: ["@redis-batch/source"],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    allowImportingTsExtensions: true,
    noEmit: true,
    strict: true,
  });
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(source) as ts.SourceFile) as ts.Symbol;
  const symbol = checker.getExportsOfModule(module).find(({ name }) => name === union) as ts.Symbol;
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  const members = type.isUnion() ? type.types : [type];
  return new Map(
    members.map((member) => {
      const properties = member.getProperties();
      const discriminant = checker.getTypeOfSymbol(properties.find(({ name }) => name === "type") as ts.Symbol);
      if (!discriminant.isStringLiteral()) throw new Error(`${union}: a member without a literal type`);
      return [
        discriminant.value,
        properties
          .map(({ name }) => name)
          .filter((name) => name !== "type")
          .toSorted(),
      ];
    }),
  );
}

/** The events below a heading, with their fields. */
function documentedEvents(heading: string): Readonly<Record<string, readonly string[]>> {
  const rows = tableBelow(readFileSync(file("events.md"), "utf8"), heading);
  return Object.fromEntries(
    rows.map(([event = "", fields = ""]) => [codeWords(event)[0] ?? "", codeWords(fields).toSorted()]),
  );
}

describe("docs/events.md", () => {
  it.each([
    ["Consumer: events of one stream", "../packages/consumer/src/events.ts", "StreamEvent"],
    ["Producer", "../packages/core/src/producer/events.ts", "ProducerEvent"],
    ["Alerts", "../packages/monitor/src/alerts/events.ts", "AlertsEvent"],
    ["Monitor", "../packages/monitor/src/events.ts", "MonitorEvent"],
    ["Scaler", "../packages/scaler/src/events.ts", "ScalerEvent"],
    ["Dashboard", "../packages/dashboard/src/events.ts", "DashboardEvent"],
    ["Process pool", "../packages/scaler/src/executors/pool-events.ts", "ProcessPoolEvent"],
    ["DeadLetters", "../packages/core/src/dead-letters/events.ts", "DeadLettersEvent"],
  ])("lists the events of the %s with their fields", (heading, source, union) => {
    expect(documentedEvents(heading)).toEqual(Object.fromEntries(eventsOf(source, union)));
  });

  it("lists those of the Consumer, and for the others only says once that they have a stream", () => {
    const path = "../packages/consumer/src/events.ts";
    const ofStreams = eventsOf(path, "StreamEvent");
    const all = eventsOf(path, "ConsumerEvent");
    const whole = [...all].filter(([type]) => !ofStreams.has(type));
    expect(documentedEvents("Consumer")).toEqual(Object.fromEntries(whole));
    for (const [type, fields] of all) {
      expect([type, fields.includes("stream")]).toEqual([type, ofStreams.has(type)]);
    }
  });
});

describe("the levels of a structured log", () => {
  // Marked, but a warning only if something is wrong.
  const IN_PART = ["groupCreated", "intakeHeld"];

  it("warn of the events that are marked in docs/events.md, and of no others", () => {
    const rows = [...readFileSync(file("events.md"), "utf8").matchAll(/^\| `(\w+)`( ⚠)? \|.*\|.*\|$/gm)];
    const marked = new Set(rows.filter(([, , mark]) => mark !== undefined).map(([, type]) => type));
    const wrong: unknown[] = [];
    const observe = core.logObserver((level, _message, { event }) => {
      const isWarning = level === "warn" || level === "error";
      if (isWarning !== marked.has(String(event)) && !IN_PART.includes(String(event))) wrong.push([event, level]);
    });
    for (const [, type = ""] of rows) observe({ type });
    expect(wrong).toEqual([]);
    expect(rows.length).toBeGreaterThan(80);
  });
});

describe("docs/metrics.md", () => {
  const documented = (heading: string) =>
    tableBelow(readFileSync(file("metrics.md"), "utf8"), heading).map(([name = "", type, unit, labels = "", help]) => ({
      name: codeWords(name)[0],
      type,
      unit,
      labels: codeWords(labels),
      help,
    }));

  it("lists every metric as it is exported", () => {
    expect(documented("The metrics")).toEqual(
      METRICS.map(({ name, type, unit, labels, help }) => ({ name, type, unit, labels, help })),
    );
  });

  it("lists every metric of the scaler as it is written", () => {
    const seen = {
      ...{ added: 5, read: 0, waiting: 5, isWaitingAtLeast: false, oldestWaitingMs: 10, released: 0 },
      ...{ pending: 0, reclaimable: 0 },
      ...{
        current: 1,
        ready: 1,
        startingMs: [],
        lost: 0,
        startUpsMs: [],
        consumers: [],
        elsewhere: 0,
        isAlone: false,
        partitions: null,
      },
    };
    const board = new ScaleBoard({ stream: "orders", group: "billing" });
    board.onDecision(decide(seen, emptyMemory("ratio"), resolveScalingOptions({ strategy: "ratio" }), 0).decision);
    const written = board.toPrometheus().matchAll(/^# HELP (\S+) (.+)\n# TYPE \S+ (\w+)\n\S+\{(.+)\} \d+$/gm);
    expect(documented("The scaler's metrics")).toEqual(
      Array.from(written, ([, name, help, type, labels = ""]) => ({
        ...{ name, type, unit: "consumers", help },
        labels: Array.from(labels.matchAll(/(\w+)="/g), ([, label]) => label),
      })),
    );
  });
});

describe("docs/errors.md", () => {
  it("lists every exported class with its code and whether it is retryable", () => {
    const rows = tableBelow(readFileSync(file("errors.md"), "utf8"), "Errors");
    const documented = rows.map(([name, code, retryable]) => [
      codeWords(name as string)[0],
      codeWords(code as string)[0],
      retryable,
    ]);
    const samples: readonly core.RedisBatchError[] = [
      new core.ConfigError("x", ["y"]),
      new core.UsageError("x"),
      new core.PayloadError("x"),
      new core.ConnectionError("x", { outcome: "unknown" }),
      new core.ServerStateError("x", { state: "OOM" }),
      new core.NoGroupError("x"),
      new core.WrongTypeError("x"),
      new core.PermissionError("x", { command: "xadd" }),
      new core.CredentialsError("x"),
      new core.UnsupportedServerError("x"),
      new core.CommandError("x", { command: "xadd", reply: "ERR" }),
      new core.ReplyShapeError("x"),
      new core.LeaseLostError("x", { entryId: "1-0", loss: "taken" }),
      new core.PartitionLostError("x", { partition: 3 }),
      new core.ConsumerNameInUseError("x", { consumer: "c" }),
      new core.QueueFullError("x"),
    ];
    expect(documented).toEqual(samples.map(({ name, code, retryable }) => [name, code, retryable ? "yes" : "no"]));
    const classes = Object.keys(core).filter((name) => name.endsWith("Error") && name !== "RedisBatchError");
    expect(samples.map(({ name }) => name).toSorted()).toEqual(classes.toSorted());
  });
});
