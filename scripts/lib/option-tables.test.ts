import { describe, expect, it } from "vitest";
import { fillOptionTables, optionTable } from "./option-tables.ts";

const SPEC = {
  redis: { kind: "redis" },
  size: { kind: "integer", min: 1, max: 10_000, default: 5_000, about: "messages | batch" },
  holdMs: { kind: "milliseconds", min: 1, max: 9, default: { times: 3, of: "size", atLeast: 2_000 }, about: "time" },
  bytes: { kind: "bytes", min: 1_024, max: 2 ** 31, default: 2 ** 24, about: "payload" },
  tell: { kind: "function", value: {}, otherwise: "nobody", about: "who is told" },
  mode: { kind: "choice", choices: ["a", "b"], default: "a", about: "how" },
  loud: { kind: "flag", default: false, about: "be loud" },
  limit: { kind: "number", min: 0.5, max: 1, about: "limit" },
  retry: {
    kind: "options",
    about: "again",
    options: {
      baseMs: { kind: "milliseconds", min: 1, max: 2, default: 1, about: "first" },
      capMs: { kind: "milliseconds", min: 1, max: 3, default: 2, otherwise: "more", notBelow: "baseMs", about: "last" },
    },
  },
  wait: {
    kind: "options",
    optional: true,
    about: "wait",
    options: { count: { kind: "integer", required: true, min: 1, max: 2, about: "how many" } },
  },
  stream: { kind: "name", required: true, about: "key" },
} as const;

const LINES = [
  "| option | default | range | what it is |",
  "|---|---|---|---|",
  "| `redis` | required |  | where Redis is: …",
  "| `stream` | required |  | key |",
  "| `size` | 5,000 | 1 – 10,000 | messages \\| batch |",
  "| `holdMs` | 3 × `size`, at least 2,000 | 1 – 9 ms | time |",
  "| `bytes` | 16 MiB | 1 KiB – 2 GiB | payload |",
  '| `mode` | `"a"` | `"a"`, `"b"` | how |',
  "| `loud` | `false` |  | be loud |",
  "| `limit` | – | 0.5 – 1 | limit |",
  "| `tell` | nobody |  | who is told |",
  "| `retry` |  |  | again |",
  "| `retry.baseMs` | 1 | 1 – 2 ms | first |",
  "| `retry.capMs` | 2; more | 1 – 3 ms, not below `retry.baseMs` | last |",
  "| `wait` | – |  | wait |",
  "| `wait.count` | required | 1 – 2 | how many |",
];

describe("the table of a spec", () => {
  it("has the required ones first, then values, then functions and objects", () => {
    const lines = optionTable(SPEC).split("\n");
    expect(lines.map((line) => line.replace(/(where Redis is: ).*/, "$1…"))).toEqual(LINES);
  });

  it("stands in a page behind its mark, in the place of the one before", () => {
    const page = "# A\n\n<!-- options: core A_SPEC B_SPEC -->\n\n| old |\n|---|\n| x |\n\nMore.\n\n| other |\n|---|\n";
    const { loud, limit } = SPEC;
    const filled = fillOptionTables(page, { core: { A_SPEC: { loud }, B_SPEC: { limit } } });
    expect(filled).toBe(
      `# A\n\n<!-- options: core A_SPEC B_SPEC -->\n\n${optionTable({ loud, limit })}\n\nMore.\n\n| other |\n|---|\n`,
    );
    expect(fillOptionTables(filled, { core: { A_SPEC: { loud }, B_SPEC: { limit } } })).toBe(filled);
  });

  it("is not left out when its spec has another name now", () => {
    expect(() => fillOptionTables("<!-- options: core GONE_SPEC -->\n\n", { core: {} })).toThrow("GONE_SPEC");
  });
});
