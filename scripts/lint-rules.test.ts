import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "./lib/root.mjs";

// Each file breaks the rule it is listed under, and no other.
const BREACHES: Readonly<Record<string, readonly [rule: string, text: string]>> = {
  "src/float.ts": ["no-floating-promises", "export function go(f: () => Promise<void>): void { f(); }"],
  "src/misuse.ts": [
    "no-misused-promises",
    "export function go(p: () => Promise<boolean>): number { return p() ? 1 : 2; }",
  ],
  "src/await.ts": ["await-thenable", "export async function go(n: number): Promise<number> { await n; return n; }"],
  "src/switch.ts": [
    "switch-exhaustiveness-check",
    'export function go(k: "a" | "b"): void { switch (k) { case "a": break; } }',
  ],
  "src/return.ts": [
    "return-await",
    "export async function go(p: Promise<void>): Promise<void> { try { return p; } catch { return; } }",
  ],
  "packages/core/src/inferred.ts": ["explicit-module-boundary-types", "export function go() { return 1; }"],
  "src/any.ts": ["no-explicit-any", "export type X = any;"],
  "src/assign.ts": ["no-unsafe-assignment", "export const x: string = JSON.parse('1');"],
  "src/argument.ts": ["no-unsafe-argument", "export function go(f: (s: string) => void): void { f(JSON.parse('1')); }"],
  "src/call.ts": ["no-unsafe-call", "export function go(): void { JSON.parse('1')(); }"],
  "src/member.ts": ["no-unsafe-member-access", "export function go(): void { void JSON.parse('1').x; }"],
  "src/returned.ts": ["no-unsafe-return", "export function go(): string { return JSON.parse('1'); }"],
  "src/throw.ts": ["only-throw-error", 'export function go(): void { throw "text"; }'],
  "src/default.ts": ["no-default-export", "export default 1;"],
  "src/CamelCase.ts": ["filename-case", "export const x = 1;"],
  "packages/consumer/src/decisions/now.ts": ["no-restricted-globals", "export const now = (): number => Date.now();"],
  "packages/core/src/wire/wait.ts": [
    "no-restricted-globals",
    "export const x = (): unknown => setTimeout(() => 0, 1);",
  ],
  "packages/core/src/wire/env.ts": ["no-restricted-globals", "export const x = (): unknown => process;"],
  "packages/cli/src/render/dice.ts": ["no-restricted-properties", "export const x = (): number => Math.random();"],
  "packages/core/src/redis/queue.ts": [
    "no-restricted-properties",
    "export const x = (client: { readonly commandQueue: unknown }): unknown => client.commandQueue;",
  ],
  "packages/core/src/redis/send.ts": [
    "no-restricted-properties",
    "export function go(client: { sendCommand: () => void }): void { const { sendCommand } = client; sendCommand(); }",
  ],
  "packages/core/src/redis/timer.ts": [
    "no-restricted-properties",
    'export const x = (client: object): unknown => Reflect.get(client, "socketTimeoutTimer");',
  ],
  "packages/monitor/src/decisions/later.ts": [
    "no-async-await",
    "export async function go(p: Promise<void>): Promise<void> { await p; }",
  ],
};

// The same words where they are allowed.
const ALLOWED: Readonly<Record<string, string>> = {
  "tool.config.ts": "export default 1;",
  "src/clock.ts": "export const now = (): number => Date.now() + Math.random();",
  "packages/core/src/redis/ioredis-internals/timer.ts":
    'export const x = (client: object): unknown => Reflect.get(client, "socketTimeoutTimer");',
  "packages/test-support/src/wire/now.ts": "export const now = (): number => Date.now();",
  "packages/consumer/src/decisions/now.test.ts": "export const now = (): number => Date.now();",
  "packages/consumer/src/decisions/index.ts":
    "export const decide = (nowMs: number): number => nowMs + Math.max(1, 2);",
};

interface OxlintReport {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
}

describe("the lint rules", () => {
  let root: string;
  let found: Map<string, Set<string>>;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "rb-lint-"));
    const texts = Object.entries(BREACHES).map(([file, [, text]]) => [file, text] as const);
    for (const [file, text] of [...texts, ...Object.entries(ALLOWED)]) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    const compilerOptions = { strict: true, target: "es2023", module: "preserve", allowImportingTsExtensions: true };
    writeFileSync(
      join(root, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { ...compilerOptions, noEmit: true, types: [] }, include: ["."] }),
    );
    const { stdout } = spawnSync(
      join(ROOT, "node_modules/.bin/oxlint"),
      ["--type-aware", "--deny-warnings", "--format=json", `--config=${join(ROOT, ".oxlintrc.json")}`],
      { cwd: root, encoding: "utf8" },
    );
    found = new Map();
    for (const { code, filename } of (JSON.parse(stdout) as OxlintReport).diagnostics) {
      const rule = /\((.+)\)/.exec(code)?.[1] ?? code;
      found.set(filename, (found.get(filename) ?? new Set()).add(rule));
    }
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it.each(Object.entries(BREACHES).map(([file, [rule]]) => ({ rule, file })))(
    "$rule catches $file",
    ({ rule, file }) => {
      expect([...(found.get(file) ?? [])]).toEqual([rule]);
    },
  );

  it.each(Object.keys(ALLOWED))("%s is fine", (file) => {
    expect(found.get(file)).toBeUndefined();
  });
});
