// Who may import whom (CONTRIBUTING.md, "Rooms and direction"). scripts/boundaries.test.ts plants a breach of each rule.

const TESTS = "\\.test\\.ts$";

// Files without I/O, clock or chance. What they import must be among them, so the list is closed by itself: a file that
// a decision needs is either added here and held to the same rule, or does not belong in a decision. Test support has
// none: the edge is what it is about.
const PURE = [
  "^packages/(?!test-support/)[^/]+/src/(decisions|wire|render|lua)/",
  "^packages/core/src/(errors|names)/",
  "^packages/core/src/codecs/codec\\.ts$",
];

// The siblings' door to core, and core's to the public. What a decision takes through them are values, too.
const INTERNAL = "^packages/core/src/internal/";
const CORE_DOORS = ["^packages/core/src/index\\.ts$", INTERNAL];

// The ioredis side of the port, and in it what touches ioredis' insides.
const REDIS = "^packages/core/src/redis/";
const INSIDES = `${REDIS}ioredis-internals/`;
// These hand options to ioredis, of which it documents each.
const OPENING = `${REDIS}(open-client|address-source|server-address|diagnosis|probe)\\.ts$`;

// The consumer's rooms. Each has the parts of one matter; what lies beside them (scope, signals, loop …) knows none of them.
const CONSUMER = "^packages/consumer/src/";
const ROOMS = `${CONSUMER}(receiving|scheduling|settling|liveness)/`;
// Who makes the parts: nobody else may, and what the parts have in common may only name their types.
const WIRING = [`${CONSUMER}(consumer|lanes?|parts|partitions|partition-(members|reads))\\.ts$`];
const SCOPE = `${CONSUMER}scope\\.ts$`;
// Several rooms send with it. It holds no state of a consumer.
const SENDING = `${CONSUMER}settling/(send-queue|still-pending)\\.ts$`;
// Everything but these packages.
const outside = (...known) => `^(packages/(?!(${known.join("|")})/)|apps/|benchmarks/|chaos/)`;

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "core-stands-alone",
      comment:
        "core ← {consumer, monitor ← dashboard, scaler ← simulator, opentelemetry} ← {cli, apps}, consumer ← testing: core imports none of the others.",
      severity: "error",
      from: { path: "^packages/core/src/", pathNot: TESTS },
      to: { path: outside("core") },
    },
    {
      name: "siblings-stay-apart",
      comment: "What two of consumer, monitor, scaler and opentelemetry need is a value type of core.",
      severity: "error",
      from: { path: "^packages/(consumer|monitor|scaler|opentelemetry)/src/", pathNot: TESTS },
      to: { path: outside("core", "$1") },
    },
    {
      name: "simulator-on-scaler",
      comment: "core ← scaler ← simulator ← cli: it tries the decisions that ship, and knows no other service.",
      severity: "error",
      from: { path: "^packages/simulator/src/", pathNot: TESTS },
      to: { path: outside("core", "scaler", "simulator") },
    },
    {
      name: "simulator-only-when-called",
      comment: "Of the command line only `scale simulate` loads it, and that is loaded when it is called.",
      severity: "error",
      from: { path: "^packages/cli/src/", pathNot: [TESTS, "^packages/cli/src/commands/scale-simulate\\.ts$"] },
      to: { path: "^packages/simulator/" },
    },
    {
      name: "commands-only-when-called",
      comment: "A command, and all that only it needs, is loaded when it is called: by import().",
      severity: "error",
      from: { path: "^packages/cli/src/", pathNot: [TESTS, "^packages/cli/src/commands/"] },
      to: { path: "^packages/cli/src/commands/", dependencyTypesNot: ["dynamic-import", "type-only"] },
    },
    {
      name: "dashboard-on-the-monitor",
      comment: "core ← monitor ← dashboard ← cli: it shows what the monitor sees, and decides nothing by itself.",
      severity: "error",
      from: { path: "^packages/dashboard/(src|ui)/", pathNot: TESTS },
      to: { path: outside("core", "monitor", "dashboard") },
    },
    {
      name: "page-knows-no-server",
      comment: "What runs in the browser takes from the server's side pure decisions and types.",
      severity: "error",
      from: { path: "^packages/dashboard/ui/" },
      to: { path: "^packages/", pathNot: "^packages/dashboard/(ui|src/decisions)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "testing-on-the-consumer",
      comment: "core ← consumer ← testing: hand-made batches are the consumer's. Its own tests use the others as well.",
      severity: "error",
      from: { path: "^packages/testing/src/", pathNot: TESTS },
      to: { path: outside("core", "consumer", "testing") },
    },
    {
      name: "time-stands-alone",
      comment: "Scripts run test support as it is, without the condition that finds the sources of other packages.",
      severity: "error",
      from: { path: "^packages/testing/src/time(/|\\.ts$)", pathNot: TESTS },
      to: { path: "^packages/", pathNot: "^packages/testing/src/time/" },
    },
    {
      name: "test-support-knows-time",
      comment:
        "All packages can use test support, because it knows none of them but the clock and recorder of testing.",
      severity: "error",
      from: { path: "^packages/test-support/src/" },
      to: { path: "^packages/(?!test-support/)", pathNot: "^packages/testing/src/time\\.ts$" },
    },
    {
      name: "cli-on-top",
      comment: "Nothing but an app's own files imports an app, and src imports nothing that is for tests.",
      severity: "error",
      from: { path: "^(packages/cli|apps/[^/]+)/src/", pathNot: TESTS },
      to: { path: "^(packages/test(ing|-support)/|apps/|benchmarks/|chaos/)", pathNot: "^$1/" },
    },
    {
      name: "through-the-door",
      comment: "A package is imported by its name, never by a path into its folder.",
      severity: "error",
      from: { path: "^((?:packages|apps)/[^/]+|benchmarks|chaos|scripts)/" },
      to: { path: "^(packages|apps)/", pathNot: "^$1/", dependencyTypes: ["local"] },
    },
    {
      name: "source-stays-in-its-folder",
      comment: "What is published stands on nothing of the repository: tools, guides and tests are not in the tarball.",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      to: { path: "^(scripts|docs|benchmarks|chaos)/" },
    },
    {
      name: "internal-is-for-siblings",
      comment: "The doors for the sibling packages promise nothing to applications.",
      severity: "error",
      from: { path: "^(apps|benchmarks|chaos)/" },
      to: { path: [INTERNAL, "^packages/(core/src/web|consumer/src/internal|testing/src/(internal|time))\\.ts$"] },
    },
    {
      name: "doors-are-narrow",
      comment: "Each of core's doors names what is behind it, and none leads through another one.",
      severity: "error",
      from: { path: "^packages/core/src/", pathNot: TESTS },
      to: { path: [INTERNAL, "^packages/core/src/(index|web)\\.ts$"] },
    },
    {
      name: "no-http-for-applications",
      comment: "What producers and consumers load leads to no HTTP: that stands behind @redis-batch/core/web.",
      severity: "error",
      from: { path: [...CORE_DOORS, `${CONSUMER}index\\.ts$`] },
      to: { path: "^(https?|http2)$", reachable: true },
    },
    {
      name: "pure-imports-pure",
      comment: "decisions/, wire/ and what they stand on import only pure files; types may come from elsewhere.",
      severity: "error",
      from: { path: PURE, pathNot: TESTS },
      to: { pathNot: [...PURE, ...CORE_DOORS], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "pure-knows-no-room",
      comment: "Not even a type: whatever has state, time or I/O is built on the decisions, not the other way round.",
      severity: "error",
      from: { path: PURE, pathNot: TESTS },
      to: { path: ["^packages/[^/]+/src/redis/", ROOMS, SCOPE] },
    },
    {
      name: "rooms-are-wired-by-the-service",
      comment:
        "Only consumer.ts, its lanes, its partitions and parts.ts, and the rooms themselves, import a room: batch, message, handler and options know none.",
      severity: "error",
      from: { path: CONSUMER, pathNot: [TESTS, ROOMS, ...WIRING, SCOPE] },
      to: { path: ROOMS },
    },
    {
      name: "scope-names-types",
      comment: "What all parts share is made by consumer.ts; scope.ts says what it is.",
      severity: "error",
      from: { path: SCOPE },
      to: { path: ROOMS, dependencyTypesNot: ["type-only"] },
    },
    {
      name: "rooms-know-no-service",
      comment: "Not even a type: each part is handed the scope and the parts that it uses.",
      severity: "error",
      from: { path: CONSUMER, pathNot: [TESTS, ...WIRING, `${CONSUMER}index\\.ts$`] },
      to: { path: [...WIRING, `${CONSUMER}index\\.ts$`] },
    },
    {
      name: "rooms-are-handed-each-other",
      comment: "A room may name the types of another; the objects themselves are made and handed in by parts.ts.",
      severity: "error",
      from: { path: ROOMS, pathNot: TESTS },
      to: { path: ROOMS, pathNot: [`${CONSUMER}$1/`, SENDING], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "ioredis-only-in-core-redis",
      comment: "core/src/redis/ is the only place that knows the client; public options may name its types.",
      severity: "error",
      from: { path: "^(packages|apps)/[^/]+/src/", pathNot: [TESTS, "^packages/(core/src/redis|test-support/src)/"] },
      to: { path: "node_modules/ioredis(-v5)?/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "ioredis-internals-are-fenced",
      comment: "What reaches into ioredis is called by the connections in core/src/redis/, and by nobody else.",
      severity: "error",
      from: { path: "^(packages|apps|benchmarks|chaos)/", pathNot: [TESTS, REDIS, "^packages/core/test/"] },
      to: { path: INSIDES },
    },
    {
      name: "connections-know-no-insides",
      comment:
        "Not even a type: redis-client.ts has what ioredis documents of a client, and ioredis-internals/ the rest.",
      severity: "error",
      from: { path: REDIS, pathNot: [TESTS, INSIDES, OPENING] },
      to: { path: "node_modules/ioredis(-v5)?/" },
    },
    {
      name: "no-development-dependency",
      comment: "Who installs the package does not get its devDependencies.",
      severity: "error",
      from: { path: "^(packages/(?!test-support/)|apps/)[^/]+/src/", pathNot: TESTS },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["npm-peer", "type-only"] },
    },
    {
      name: "no-circular",
      comment: "Not even by a type: what two files need of each other belongs in one of them, or in a third.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "resolvable",
      comment: "Rules can only judge what can be resolved.",
      severity: "error",
      from: { path: "^(packages|apps|benchmarks|chaos|scripts)/" },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|\\.cache)/" },
    tsPreCompilationDeps: "specify",
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@redis-batch/source", "import", "node", "default", "types"],
    },
  },
};
