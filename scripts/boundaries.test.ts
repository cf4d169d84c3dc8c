import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cruise } from "dependency-cruiser";
import extractDepcruiseOptions from "dependency-cruiser/config-utl/extract-depcruise-options";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "./lib/root.mjs";

// A workspace in which every rule of .dependency-cruiser.mjs is broken once, and kept in the neighbouring cases that
// look alike.
const WORKSPACE: Readonly<Record<string, string>> = {
  "package.json": "{}",
  "node_modules/ioredis/package.json": manifest("ioredis"),
  "node_modules/ioredis/index.js": "export class Redis {}",
  "node_modules/zod/package.json": manifest("zod"),
  "node_modules/zod/index.js": "export const z = 1;",

  "packages/core/package.json": manifest("@redis-batch/core", {
    exports: {
      ".": { "@redis-batch/source": "./src/index.ts" },
      "./internal/*": "./src/internal/*.ts",
      "./web": "./src/web.ts",
    },
    peerDependencies: { ioredis: "6" },
    devDependencies: { ioredis: "6", zod: "4" },
  }),
  "packages/core/src/index.ts": 'export { openClient } from "./redis/open-client.ts";',
  "packages/core/src/internal/names.ts": 'export { entryId } from "../names/entry-id.ts";',
  "packages/core/src/internal/all.ts": 'export { openClient } from "../index.ts";',
  "packages/core/src/web.ts": 'export { serve } from "./web/server.ts";',
  "packages/core/src/web/server.ts": 'import { createServer } from "node:http"; export const serve = createServer;',
  "packages/core/src/names/entry-id.ts": "export const entryId = 1;",
  "packages/core/src/stream-client.ts": "export type Port = 1; export const port = 1;",
  "packages/core/src/redis/open-client.ts": 'import { Redis } from "ioredis"; export const openClient = Redis;',
  "packages/core/src/redis/ioredis-internals/tap.ts":
    'import type { Redis } from "ioredis"; export const tap = (r: Redis) => r;',
  "packages/core/src/redis/connection.ts":
    'import { tap } from "./ioredis-internals/tap.ts"; export const connection = tap;',
  "packages/core/src/redis/life.ts": 'import type { Redis } from "ioredis"; export type Life = Redis;',
  "packages/core/src/producer/sender.ts":
    'import { tap } from "../redis/ioredis-internals/tap.ts"; export const sender = tap;',
  "packages/core/src/options/service-options.ts": 'import type { Redis } from "ioredis"; export type Options = Redis;',
  "packages/core/src/producer/producer.ts": 'import { Redis } from "ioredis"; export const producer = Redis;',
  "packages/core/src/producer/producer.test.ts": 'import { z } from "zod"; import "@redis-batch/test-support"; z;',
  "packages/core/src/codecs/codec.ts": 'import { z } from "zod"; export const codec = z;',
  "packages/core/src/service/observer.ts": 'import { Monitor } from "@redis-batch/monitor"; export const o = Monitor;',
  "packages/core/src/decisions/backoff.ts":
    'import { randomInt } from "node:crypto"; export const backoff = randomInt;',
  "packages/core/src/wire/xadd.ts": 'import type { Port } from "../stream-client.ts"; export type P = Port;',
  "packages/core/src/wire/xack.ts": 'import { port } from "../stream-client.ts"; export const xack = port;',
  "packages/core/src/wire/xlen.ts": 'import { entryId } from "../names/entry-id.ts"; export const xlen = entryId;',

  "packages/consumer/package.json": manifest("@redis-batch/consumer", {
    exports: { ".": "./src/index.ts", "./internal": "./src/internal.ts" },
    dependencies: { "@redis-batch/core": "1", "@redis-batch/monitor": "1" },
    devDependencies: { "@redis-batch/test-support": "1" },
  }),
  "packages/consumer/src/index.ts":
    'export { Consumer } from "./consumer.ts"; export { read } from "./receiving/read.ts"; export { probe } from "./probe.ts";',
  "packages/consumer/src/probe.ts": 'import { serve } from "@redis-batch/core/web"; export const probe = serve;',
  "packages/consumer/src/consumer.ts": 'import { parts } from "./parts.ts"; export const Consumer = parts;',
  "packages/consumer/src/parts.ts":
    'import { read } from "./receiving/read.ts"; import { held } from "./scheduling/held.ts"; export const parts = [read, held];',
  "packages/consumer/src/scope.ts":
    'import type { Held } from "./scheduling/held.ts"; import { leases } from "./liveness/leases.ts"; export type Scope = Held; export const scope = leases;',
  "packages/consumer/src/loop.ts": "export const loop = 1;",
  "packages/consumer/src/receiving/read.ts": 'import { cut } from "../decisions/cut.ts"; export const read = cut;',
  "packages/consumer/src/liveness/leases.ts":
    'import { loop } from "../loop.ts"; import { send } from "../settling/send-queue.ts"; import type { Held } from "../scheduling/held.ts"; export type Leases = Held; export const leases = [loop, send];',
  "packages/consumer/src/scheduling/held.ts": "export type Held = 1; export const held = 1;",
  "packages/consumer/src/settling/send-queue.ts": "export const send = 1;",
  "packages/consumer/src/settling/releaser.ts":
    'import type { Scope } from "../scope.ts"; import { held } from "../scheduling/held.ts"; export const releaser = (scope: Scope) => [scope, held];',
  "packages/consumer/src/receiving/message-builder.ts":
    'import type { Consumer } from "../consumer.ts"; export type Intake = typeof Consumer;',
  "packages/consumer/src/usage.ts": 'import type { parts } from "./parts.ts"; export type Usage = typeof parts;',
  "packages/consumer/src/message.ts": 'import type { Held } from "./scheduling/held.ts"; export type Message = Held;',
  "packages/consumer/src/decisions/surplus.ts":
    'import type { Held } from "../scheduling/held.ts"; export type Surplus = Held;',
  "packages/consumer/src/decisions/cut.ts":
    'import { entryId } from "@redis-batch/core/internal/names"; export const cut = entryId;',
  "packages/consumer/src/decisions/retry.ts": 'import type { Scope } from "../scope.ts"; export type R = Scope;',
  "packages/consumer/src/batch.ts": 'import { Monitor } from "@redis-batch/monitor"; export const b = Monitor;',
  "packages/consumer/src/faults.ts": 'import { server } from "@redis-batch/test-support"; export const f = server;',
  "packages/consumer/src/events.ts":
    'import { entryId } from "../../core/src/internal/names.ts"; export const e = entryId;',
  "packages/consumer/src/lost.ts": 'import { lost } from "./nowhere.ts"; export const l = lost;',
  "packages/consumer/test/consumer.test.ts": 'import { server } from "@redis-batch/test-support"; server;',

  "packages/monitor/package.json": manifest("@redis-batch/monitor", { exports: { ".": "./src/index.ts" } }),
  "packages/monitor/src/look.ts":
    'import { judge } from "./judge.ts"; export const look = judge; export type Look = 1;',
  "packages/monitor/src/judge.ts": 'import type { Look } from "./look.ts"; export const judge = (look: Look) => look;',
  "packages/monitor/src/index.ts": 'import { serve } from "@redis-batch/core/web"; export const Monitor = serve;',
  "packages/monitor/src/plot.ts": 'import { svg } from "../../../scripts/lib/svg.ts"; export const plot = svg;',
  "packages/monitor/tsup.config.ts": 'import { svg } from "../../scripts/lib/svg.ts"; export default svg;',
  "scripts/lib/svg.ts": "export const svg = 1;",
  "packages/consumer/src/internal.ts": "export const RecordedBatch = 1;",

  "packages/testing/package.json": manifest("@redis-batch/testing", {
    exports: { ".": "./src/index.ts", "./internal": "./src/internal.ts", "./time": "./src/time.ts" },
    dependencies: { "@redis-batch/core": "1", "@redis-batch/consumer": "1" },
  }),
  "packages/testing/src/index.ts":
    'import { RecordedBatch } from "@redis-batch/consumer/internal"; export const makeBatch = RecordedBatch;',
  "packages/testing/src/memory-redis.ts": 'import { Monitor } from "@redis-batch/monitor"; export const m = Monitor;',
  "packages/testing/src/internal.ts": "export const createMemoryServer = 1;",
  "packages/testing/src/time.ts": 'export { clock } from "./time/clock.ts";',
  "packages/testing/src/time/clock.ts": "export const clock = 1;",
  "packages/testing/src/time/pause.ts":
    'import { entryId } from "@redis-batch/core/internal/names"; export const pause = entryId;',

  "packages/test-support/src/recorder.ts": 'import { clock } from "@redis-batch/testing/time"; export const r = clock;',
  "packages/test-support/src/memory.ts":
    'import { createMemoryServer } from "@redis-batch/testing/internal"; export const m = createMemoryServer;',
  "packages/test-support/package.json": manifest("@redis-batch/test-support", { exports: { ".": "./src/index.ts" } }),
  "packages/test-support/src/index.ts": "export const server = 1;",
  "packages/test-support/src/wire/socket.ts": 'import { connect } from "node:net"; export const s = connect;',

  "packages/scaler/package.json": manifest("@redis-batch/scaler", { exports: { ".": "./src/index.ts" } }),
  "packages/scaler/src/index.ts": 'import { POLICIES } from "@redis-batch/simulator"; export const decide = POLICIES;',
  "packages/simulator/package.json": manifest("@redis-batch/simulator", { exports: { ".": "./src/index.ts" } }),
  "packages/simulator/src/index.ts": "export const POLICIES = [];",
  "packages/simulator/src/ours.ts": 'import { decide } from "@redis-batch/scaler"; export const ours = decide;',
  "packages/simulator/src/group.ts": 'import { Monitor } from "@redis-batch/monitor"; export const group = Monitor;',

  "packages/dashboard/package.json": manifest("@redis-batch/dashboard", { exports: { ".": "./src/index.ts" } }),
  "packages/dashboard/src/index.ts":
    'import { Monitor } from "@redis-batch/monitor"; export const dashboard = Monitor;',
  "packages/dashboard/src/watch.ts": 'import { Consumer } from "@redis-batch/consumer"; export const watch = Consumer;',
  "packages/dashboard/src/decisions/rank.ts": "export const rank = 1;",
  "packages/dashboard/ui/page.ts":
    'import { rank } from "../src/decisions/rank.ts"; import type { watch } from "../src/watch.ts"; import { dashboard } from "../src/index.ts"; export type W = typeof watch; export const page = [rank, dashboard];',

  "packages/cli/package.json": manifest("@redis-batch/cli", {
    dependencies: {
      "@redis-batch/consumer": "1",
      "@redis-batch/simulator": "1",
      "@redis-batch/test-support": "1",
      "@redis-batch/testing": "1",
    },
  }),
  "packages/cli/src/commands/scale-simulate.ts":
    'import { POLICIES } from "@redis-batch/simulator"; export const run = POLICIES;',
  "packages/cli/src/commands/scale.ts":
    'import { POLICIES } from "@redis-batch/simulator"; export const run = POLICIES;',
  "packages/cli/src/table/index.ts": 'export const load = () => import("../commands/scale-simulate.ts");',
  "packages/cli/src/table/scale.ts": 'import type { run } from "../commands/scale.ts"; export type R = typeof run;',
  "packages/cli/src/table/names.ts": 'import { run } from "../commands/scale.ts"; export const names = run;',
  "packages/cli/src/main.ts": 'import { Consumer } from "@redis-batch/consumer"; export const main = Consumer;',
  "packages/cli/src/demo.ts": 'import { makeBatch } from "@redis-batch/testing"; export const demo = makeBatch;',
  "packages/cli/src/context.ts": 'import { server } from "@redis-batch/test-support"; export const context = server;',

  "apps/example-worker/package.json": manifest("example-worker", { dependencies: { "@redis-batch/core": "1" } }),
  "apps/example-worker/src/main.ts": 'import { openClient } from "@redis-batch/core"; export const main = openClient;',
  "apps/example-worker/src/probes.ts": 'import { serve } from "@redis-batch/core/web"; export const p = serve;',
  "apps/example-worker/src/handler.ts":
    'import { RecordedBatch } from "@redis-batch/consumer/internal"; export const h = RecordedBatch;',
  "apps/example-worker/src/sink.ts":
    'import { entryId } from "@redis-batch/core/internal/names"; export const s = entryId;',
};

const BREACHES = [
  "cli-on-top: packages/cli/src/context.ts → packages/test-support/src/index.ts",
  "cli-on-top: packages/cli/src/demo.ts → packages/testing/src/index.ts",
  "commands-only-when-called: packages/cli/src/table/names.ts → packages/cli/src/commands/scale.ts",
  "connections-know-no-insides: packages/core/src/redis/life.ts → node_modules/ioredis/index.js",
  "core-stands-alone: packages/core/src/service/observer.ts → packages/monitor/src/index.ts",
  "dashboard-on-the-monitor: packages/dashboard/src/watch.ts → packages/consumer/src/index.ts",
  "doors-are-narrow: packages/core/src/internal/all.ts → packages/core/src/index.ts",
  "internal-is-for-siblings: apps/example-worker/src/handler.ts → packages/consumer/src/internal.ts",
  "internal-is-for-siblings: apps/example-worker/src/probes.ts → packages/core/src/web.ts",
  "internal-is-for-siblings: apps/example-worker/src/sink.ts → packages/core/src/internal/names.ts",
  "ioredis-internals-are-fenced: packages/core/src/producer/sender.ts → packages/core/src/redis/ioredis-internals/tap.ts",
  "ioredis-only-in-core-redis: packages/core/src/producer/producer.ts → node_modules/ioredis/index.js",
  "no-circular: packages/monitor/src/judge.ts → packages/monitor/src/look.ts",
  "no-development-dependency: packages/core/src/codecs/codec.ts → node_modules/zod/index.js",
  "no-http-for-applications: packages/consumer/src/index.ts → http",
  "page-knows-no-server: packages/dashboard/ui/page.ts → packages/dashboard/src/index.ts",
  "pure-imports-pure: packages/core/src/codecs/codec.ts → node_modules/zod/index.js",
  "pure-imports-pure: packages/core/src/decisions/backoff.ts → crypto",
  "pure-imports-pure: packages/core/src/wire/xack.ts → packages/core/src/stream-client.ts",
  "pure-knows-no-room: packages/consumer/src/decisions/retry.ts → packages/consumer/src/scope.ts",
  "pure-knows-no-room: packages/consumer/src/decisions/surplus.ts → packages/consumer/src/scheduling/held.ts",
  "resolvable: packages/consumer/src/lost.ts → ./nowhere.ts",
  "rooms-are-handed-each-other: packages/consumer/src/settling/releaser.ts → packages/consumer/src/scheduling/held.ts",
  "rooms-are-wired-by-the-service: packages/consumer/src/decisions/surplus.ts → packages/consumer/src/scheduling/held.ts",
  "rooms-are-wired-by-the-service: packages/consumer/src/index.ts → packages/consumer/src/receiving/read.ts",
  "rooms-are-wired-by-the-service: packages/consumer/src/message.ts → packages/consumer/src/scheduling/held.ts",
  "rooms-know-no-service: packages/consumer/src/receiving/message-builder.ts → packages/consumer/src/consumer.ts",
  "rooms-know-no-service: packages/consumer/src/usage.ts → packages/consumer/src/parts.ts",
  "scope-names-types: packages/consumer/src/scope.ts → packages/consumer/src/liveness/leases.ts",
  "siblings-stay-apart: packages/consumer/src/batch.ts → packages/monitor/src/index.ts",
  "siblings-stay-apart: packages/consumer/src/faults.ts → packages/test-support/src/index.ts",
  "siblings-stay-apart: packages/scaler/src/index.ts → packages/simulator/src/index.ts",
  "simulator-on-scaler: packages/simulator/src/group.ts → packages/monitor/src/index.ts",
  "simulator-only-when-called: packages/cli/src/commands/scale.ts → packages/simulator/src/index.ts",
  "source-stays-in-its-folder: packages/monitor/src/plot.ts → scripts/lib/svg.ts",
  "test-support-knows-time: packages/test-support/src/memory.ts → packages/testing/src/internal.ts",
  "testing-on-the-consumer: packages/testing/src/memory-redis.ts → packages/monitor/src/index.ts",
  "through-the-door: packages/consumer/src/events.ts → packages/core/src/internal/names.ts",
  "time-stands-alone: packages/testing/src/time/pause.ts → packages/core/src/internal/names.ts",
];

describe("the import rules", () => {
  let root: string;
  let found: string[];
  let rules: string[];

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "rb-boundaries-"));
    for (const [file, text] of Object.entries(WORKSPACE)) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    mkdirSync(join(root, "node_modules/@redis-batch"));
    for (const name of ["core", "consumer", "dashboard", "monitor", "scaler", "simulator", "test-support", "testing"]) {
      symlinkSync(join(root, "packages", name), join(root, "node_modules/@redis-batch", name));
    }
    const options = await extractDepcruiseOptions(join(ROOT, ".dependency-cruiser.mjs"));
    rules = (options.ruleSet?.forbidden ?? []).map((rule) => rule.name ?? "");
    const { output } = await cruise(["packages", "apps"], { ...options, baseDir: root });
    if (typeof output === "string") throw new Error(`expected a result to look at, got text: ${output}`);
    found = output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it("catch every planted breach and nothing else", () => {
    expect(found.toSorted()).toEqual(BREACHES);
  });

  it("are each broken at least once here", () => {
    expect(rules.filter((rule) => !BREACHES.some((breach) => breach.startsWith(`${rule}: `)))).toEqual([]);
  });
});

function manifest(name: string, more: object = {}): string {
  return JSON.stringify({ name, version: "1.0.0", type: "module", main: "index.js", ...more });
}
