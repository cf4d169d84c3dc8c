import { describe, expect, it } from "vitest";
import type { ConsumerReport, ConsumerStatus, GroupReport, MonitorReport } from "../report.ts";
import { toJSON } from "./json.ts";
import { columnsOf, printable } from "./printable.ts";
import { renderTable } from "./table.ts";

function consumer(id: string, idleMs: number, pending: number, status: ConsumerStatus): ConsumerReport {
  return {
    ...{ consumer: id, idleMs, pending, status, reason: "why", foreign: true, inactiveMs: null, capacity: 10 },
    ...{
      oldestPendingAgeMs: null,
      inFlight: null,
      oldestInFlightMs: null,
      intake: null,
      busyShare: null,
      leaseMs: null,
      host: null,
      pid: null,
      ...{ version: null, isAlone: null, parked: null, blockedKeys: null },
    },
  };
}

function reportOf(...groups: (readonly [name: string, consumers: readonly ConsumerReport[]])[]): MonitorReport {
  return {
    ...{ v: 1, atMs: 0, stream: "orders", length: 90 },
    retention: { safeId: "1-0", pinnedBy: "billing", warnings: ["some were cut"] },
    groups: groups.map(([group, consumers]): GroupReport => {
      return {
        ...{
          group,
          consumers,
          health: "OK",
          reason: "it keeps up",
          pause: null,
          rateLimit: null,
          pending: 90,
          deadLetters: 2,
          lastDeliveredId: "5-0",
        },
        backlog: { messages: 1_000, source: "at least" },
        ...{ oldestWaitingAgeMs: null, oldestPendingAgeMs: 125_000, inPerSecond: null, outPerSecond: 3.25 },
        ...{ oldestOfferableMs: 4_000, released: { messages: 3, oldestMs: 4_000 } },
        later: { messages: 5, oldestAgeMs: 9_000, overdueMs: 2_500 },
        retention: { neededFromId: "1-0", pins: true, unreadLost: 0, pendingLost: false },
      };
    }),
  };
}

// The numbers of the original's README.
const EXAMPLE = [
  consumer("b'29102140026848155456'", 923, 7, "OK"),
  consumer("b'29104139791624517440'", 294_191, 5, "WARNING - idle for long time"),
  consumer("b'29144140168467982144'", 361_502, 8, "WARNING - idle for long time"),
  consumer("b'29304140033034540864'", 8_658, 11, "WARNING - too many pending items"),
  consumer("b'29312139940580673344'", 11_734, 58, "WARNING - too many pending items"),
  consumer("b'29314139867734665024'", 14_216, 1, "OK"),
];

describe("renderTable", () => {
  it("prints the original's example as the original does", () => {
    expect(renderTable(reportOf(["billing", EXAMPLE]))).toBe(
      [
        "+-------------------------+-------------+-----------------+----------------------------------+",
        "|             Consumer id |   Idle time |   Pending items | Status                           |",
        "+=========================+=============+=================+==================================+",
        "| b'29102140026848155456' |         923 |               7 | OK                               |",
        "+-------------------------+-------------+-----------------+----------------------------------+",
        "| b'29104139791624517440' |      294191 |               5 | WARNING - idle for long time     |",
        "+-------------------------+-------------+-----------------+----------------------------------+",
        "| b'29144140168467982144' |      361502 |               8 | WARNING - idle for long time     |",
        "+-------------------------+-------------+-----------------+----------------------------------+",
        "| b'29304140033034540864' |        8658 |              11 | WARNING - too many pending items |",
        "+-------------------------+-------------+-----------------+----------------------------------+",
        "| b'29312139940580673344' |       11734 |              58 | WARNING - too many pending items |",
        "+-------------------------+-------------+-----------------+----------------------------------+",
        "| b'29314139867734665024' |       14216 |               1 | OK                               |",
        "+-------------------------+-------------+-----------------+----------------------------------+",
      ].join("\n"),
    );
  });

  it("prints the head alone where there is not a consumer", () => {
    expect(renderTable(reportOf(["billing", []])).split("\n")).toHaveLength(3);
  });

  it("names the groups where there are several", () => {
    const text = renderTable(reportOf(["audit", []], ["billing", EXAMPLE]));
    expect(text.split("\n").filter((line) => /^\w/.test(line))).toEqual(["audit: OK", "billing: OK"]);
  });

  it("says what is missing where there is no stream, or no group", () => {
    expect(renderTable({ ...reportOf(), length: null })).toBe("orders: the stream does not exist");
    expect(renderTable(reportOf())).toBe("orders: the stream has no such group");
  });

  it("tells on request what it knows of the group and of each consumer", () => {
    const busy = {
      ...EXAMPLE[0],
      foreign: false,
      busyShare: 0.755,
      host: "box",
      pid: 7,
      inFlight: 3,
    } as ConsumerReport;
    const text = renderTable(reportOf(["billing", [busy]]), { wide: true });
    expect(text).toContain("orders / billing: OK (it keeps up)");
    expect(text).toContain("waiting at least 1000 · pending 90 (the oldest is 2 min old) · dead letters 2");
    expect(text).toContain("in unknown · out 3.3/s");
    expect(text).toContain("released 3, for any consumer (the first for 4 s)");
    expect(text).toContain("deferred 5, until they are due (the first overdue for 2 s)");
    expect(text).toMatch(/\| +76 % \| yes +\| box +\| +7 \| OK +\| why +\|/);
    expect(text).toContain("WARNING: some were cut");
  });

  it.each([
    ["an escape sequence", "\u001b[2Jgone", "\\u{1b}[2Jgone"],
    ["a line break", "a\r\nb", "a\\u{d}\\u{a}b"],
    ["a change of direction", "a\u202eb", "a\\u{202e}b"],
    ["a lone surrogate", "a\ud800b", "a\\u{d800}b"],
    ["what looks escaped", "a\\u{1b}", "a\\\\u{1b}"],
  ])("spells out %s in a name", (_, name, shown) => {
    const text = renderTable(reportOf(["billing", [consumer(name, 1, 1, "OK")]]));
    expect(text).toContain(` ${shown} |`);
    expect(text.split("\n")).toHaveLength(5);
  });

  it("keeps its lines straight with wide characters and marks, and cuts what is too long", () => {
    const names = ["日本", "e\u0301", "x".repeat(10_000)];
    const lines = renderTable(reportOf(["billing", names.map((name) => consumer(name, 1, 1, "OK"))])).split("\n");
    expect(new Set(lines.map(columnsOf)).size).toBe(1);
    expect(printable("x".repeat(10_000))).toHaveLength(120);
  });
});

describe("toJSON", () => {
  it("holds all that the report holds", () => {
    const report = reportOf(["billing", EXAMPLE]);
    expect(JSON.parse(toJSON(report))).toEqual(report);
    expect(toJSON(report, { indent: 2 })).toContain('\n  "v": 1');
  });
});
