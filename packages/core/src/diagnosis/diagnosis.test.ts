import { describe, expect, test } from "vitest";
import { diagnoseRights, diagnoseServer, type Finding, type ServerFacts } from "./diagnosis.ts";

const HEALTHY = new Map([
  ["redis_version", "8.0.2"],
  ["role", "master"],
]);
const facts = (changed: Readonly<Record<string, string>> = {}, more: Partial<ServerFacts> = {}): ServerFacts => ({
  info: new Map([...HEALTHY, ...Object.entries(changed)]),
  ...{ hasAckDelete: false, clockAheadMs: 3, ...more },
});
const bad = (findings: readonly Finding[]) =>
  findings.filter(({ severity }) => severity !== "ok").map(({ area, severity }) => `${area}: ${severity}`);

describe("diagnoseServer", () => {
  test("finds nothing wrong with a healthy server", () => {
    expect(bad(diagnoseServer(facts()))).toEqual([]);
  });

  test.each([
    [{ role: "slave" }, ["role: problem"]],
    [{ redis_version: "8.2.1" }, ["version: problem"]],
    [{ redis_version: "6.2.14" }, ["version: problem"]],
    [{ redis_version: "7.2.4" }, ["version: warning"]],
    [{ redis_version: "7.2.5" }, []],
    [{ redis_version: "7.2.4", valkey_version: "7.2.5" }, ["version: warning"]],
    [{ redis_version: "7.2.4", valkey_version: "9.0.1" }, []],
    [{ redis_version: "7.2.4", redis_mode: "cluster" }, ["version: warning", "version: warning"]],
    [{ redis_version: "7.2.6", redis_mode: "cluster" }, ["version: warning"]],
    [{ redis_version: "7.2.6", redis_mode: "standalone" }, []],
    [{ redis_version: "7.2.7", redis_mode: "cluster" }, []],
    [{ redis_version: "7.0.15", redis_mode: "cluster" }, []],
    [
      { redis_version: "7.2.4", valkey_version: "7.2.5", redis_mode: "cluster" },
      ["version: warning", "version: warning"],
    ],
    [{ redis_version: "7.2.4", valkey_version: "7.2.6", redis_mode: "cluster" }, []],
    [{ redis_version: "6.2.14", valkey_version: "8.0.0" }, []],
    [{ redis_version: "8.2.1", valkey_version: "9.0.0" }, []],
  ])("%o", (changed, expected) => {
    expect(bad(diagnoseServer(facts(changed)))).toEqual(expected);
  });

  test("knows what it does not know, and never takes it for fine", () => {
    expect(bad(diagnoseServer({ info: null, hasAckDelete: null, clockAheadMs: null }))).toEqual([
      ...["version: unknown", "deleting: unknown", "idle time: unknown", "server: unknown", "clock: unknown"],
    ]);
    expect(bad(diagnoseServer(facts({}, { clockAheadMs: -5_000 })))).toEqual(["clock: warning"]);
  });

  test("every warning and every problem comes with its fix", () => {
    const all = [{ redis_version: "6.2.14" }, { redis_version: "7.2.0" }, { role: "slave" }];
    const bare = all
      .flatMap((changed) => diagnoseServer(facts(changed)))
      .filter(({ severity, fix }) => (severity === "warning" || severity === "problem") && fix === null);
    expect(bare).toEqual([]);
  });
});

test("rights that are missing are spelled out, as a command for the server", () => {
  const least = { purpose: "adding messages", rules: ["+info", "(~orders +xadd)"], isLeast: true };
  const more = { purpose: "idempotency keys", rules: ["(~k +get)"], isLeast: false };
  expect(diagnoseRights("app", { role: "producer", missing: [] }).severity).toBe("ok");
  expect(diagnoseRights("app", { role: "producer", missing: null }).severity).toBe("unknown");
  expect(diagnoseRights("app", { role: "producer", missing: [least, more] })).toMatchObject({
    finding: '"app" cannot be a producer: it lacks +info "(~orders +xadd)" "(~k +get)"',
    fix: 'ACL SETUSER app +info "(~orders +xadd)" "(~k +get)"',
  });
  expect(diagnoseRights("app", { role: "producer", missing: [more] }).finding).toBe(
    '"app" can be a producer, but not for: idempotency keys',
  );
});
