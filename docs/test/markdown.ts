/** Reading the guides: their tables and their examples. */

/** Those whose examples run by themselves. */
export const PAGES: readonly string[] = [
  "README.md",
  "docs/alerts.md",
  "docs/connecting.md",
  "docs/metrics.md",
  "docs/migrating-from-a-loop.md",
  "docs/migrating-from-python.md",
  "docs/recipes.md",
  "docs/tracing.md",
  "packages/consumer/README.md",
  "packages/core/README.md",
  "packages/dashboard/README.md",
  "packages/monitor/README.md",
  "packages/opentelemetry/README.md",
  "packages/scaler/README.md",
  "packages/simulator/README.md",
  "packages/testing/README.md",
];

/** What an example is: a program of its own, or a test. */
export type Runner = "node" | "vitest" | "jest";

/** A fenced TypeScript example. */
export interface Example {
  /** Where it begins, for messages. */
  readonly line: number;
  readonly code: string;
  /** What runs it; `null` for one that needs other servers around it (```ts no-run): there it is only compiled. */
  readonly runner: Runner | null;
}

/** The ```ts fences of a page, in order. */
export function examplesOf(markdown: string): Example[] {
  const examples: Example[] = [];
  for (const { index, 1: mark, 2: code = "" } of markdown.matchAll(/^```ts( no-run)?\n(.*?)^```$/gms)) {
    examples.push({
      line: markdown.slice(0, index).split("\n").length,
      code,
      runner: mark === undefined ? runnerOf(code) : null,
    });
  }
  return examples;
}

function runnerOf(code: string): Runner {
  if (code.includes('from "vitest"')) return "vitest";
  return code.includes('from "@jest/globals"') ? "jest" : "node";
}

/** The example, for the server at this URL. A port the reader can remember may be taken here, so it gets another one. */
export function atServer(url: string, code: string, port = 0): string {
  return code.replaceAll("redis://localhost:6379", url).replaceAll(/(?<=\b(?:port: |listen\())\d+/g, String(port));
}

/** A service runs until it is told to stop: it has shown that it works once it has printed something. */
export function isService(code: string): boolean {
  return code.includes("SIGTERM");
}

/** The rows of the first table below a heading: each a list of cells. Header and rule are left out. */
export function tableBelow(markdown: string, heading: string): string[][] {
  const section = markdown.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? markdown;
  const lines = section.split("\n");
  const start = lines.findIndex((line) => line.startsWith("|"));
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith("|")) break;
    rows.push(
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

/** The words in backticks of a cell. */
export const codeWords = (cell: string): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);
