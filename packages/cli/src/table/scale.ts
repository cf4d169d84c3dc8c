import { CONSUMER_SPEC } from "@redis-batch/consumer/spec";
import { KEDA_SPEC, PROCESS_POOL_SPEC, RUN_SPEC, SCALING_SPEC } from "@redis-batch/scaler/spec";
import { flagOf } from "../command-line/flag-of.ts";
import { defineCommand, defineOptions } from "../command-line/spec.ts";

const STREAM = {
  name: "stream",
  isName: true,
  about: "the stream's key",
  forSeveral: "run a scaler for each: it counts what its consumers do for other streams",
} as const;

const SCALING = defineOptions({
  min: flagOf(SCALING_SPEC.minConsumers, { default: null }),
  max: flagOf(SCALING_SPEC.maxConsumers, { default: null }),
  objective: flagOf(SCALING_SPEC.objectiveMs),
  "out-rate": flagOf(SCALING_SPEC.scaleOutRate, { value: "percent" }),
  "in-rate": flagOf(SCALING_SPEC.scaleInRate, { value: "percent" }),
  interval: flagOf(RUN_SPEC.intervalMs),
});

export const scale = defineCommand({
  path: ["scale"],
  summary: "Show how many consumers a group needs, and why",
  about: [
    "Shows the decisions of both strategies. ratio is the rule of the Python original: it adds or removes one consumer, depending on the waiting messages as a percentage of the pending ones. throughput calculates how many consumers keep up with arrivals and clear the backlog within the objective; it learns from pass to pass, so use --watch. Changes nothing.",
  ],
  args: [STREAM, { name: "group", isName: true, about: "the consumer group" }],
  options: {
    strategy: {
      kind: "choice",
      choices: ["both", "throughput", "ratio"],
      default: "both",
      about: "whose decision to show",
    },
    ...SCALING,
    watch: { kind: "flag", short: "w", about: "keep deciding, until Ctrl-C" },
  },
  examples: [
    { line: "redis-batch scale orders billing", does: "what both strategies would do now" },
    {
      line: "redis-batch scale orders billing --watch --strategy throughput --max 20",
      does: "what throughput would do, as it learns",
    },
    { line: "redis-batch scale orders billing --strategy ratio --json", does: "for a script" },
  ],
  connects: true,
  drains: true,
});

export const scaleSimulate = defineCommand({
  path: ["scale", "simulate"],
  summary: "Run scaling policies on a trace, and compare the results",
  about: [
    "Simulates a group message by message; hours take seconds. For each policy it reports the messages that were finished or became late, the share of them that was later than the objective, the 99th percentile of the latency, the consumer-hours (also relative to the oracle's), how often the number of consumers changed, how often a change was reversed within ten minutes, and the messages of consumers that were killed because they took too long to stop. The oracle, which knows the future, always runs as the reference. Needs no server.",
    'A trace is a built-in one (without an argument, the command lists traces and policies), or a file of rates that you recorded; - is standard input. Each line is a time and the messages per second from then on: NDJSON, {"time":"2026-01-31T12:00:00Z","rate":12.5}, or CSV, 0,12.5, with or without the heading time,rate. A time is a number of seconds, or a date and time with a time zone, and must be later than the time before it. The last rate lasts as long as the one before it. A trace covers at most a week and ten million messages.',
    "Options that you do not set come from the trace; for a file they have the defaults below. Processing and start-up times vary at random.",
  ],
  args: [{ name: "trace", about: "its name, or the path of a file", optional: true }],
  options: {
    policies: { kind: "text", value: "name,…", about: "policies to compare; default: all" },
    work: {
      kind: "duration",
      minMs: 1,
      maxMs: 86_400_000,
      about: "processing time per message; default for a file: 50ms",
    },
    "batch-overhead": {
      kind: "duration",
      minMs: 0,
      maxMs: 3_600_000,
      about: "additional time per batch; default for a file: 100ms",
    },
    "batch-size": flagOf(CONSUMER_SPEC.batchSize, {
      default: null,
      about: "messages in a full batch; default for a file: 20",
    }),
    "consumer-rate": {
      kind: "number",
      value: "n",
      min: 1,
      max: 100_000,
      about: "messages per second that one consumer processes, instead of --work and --batch-overhead",
    },
    "start-up": {
      kind: "duration",
      minMs: 1,
      maxMs: 3_600_000,
      about: "time from an order until the new consumer works; default for a file: 14s",
    },
    objective: flagOf(SCALING_SPEC.objectiveMs, {
      default: null,
      about: "target time from a message's arrival to its acknowledgement; default for a file: 30s",
    }),
    min: {
      kind: "number",
      value: "n",
      min: 0,
      max: 10_000,
      about: "minimum number of consumers; default for a file: 1",
    },
    max: {
      kind: "number",
      value: "n",
      min: 1,
      max: 10_000,
      about: "maximum number of consumers; default for a file: 40",
    },
    first: {
      kind: "number",
      value: "n",
      min: 0,
      max: 10_000,
      about: "number of consumers at the start; default for a file: as many as its first rate needs",
    },
    seeds: { kind: "text", value: "n,…", default: "1,2,3", about: "random seeds; the results are means over them" },
  },
  examples: [
    { line: "redis-batch scale simulate", does: "list the traces and policies" },
    {
      line: "redis-batch scale simulate burst --policies throughput,keda-lag",
      does: "compare two policies on one trace",
    },
    {
      line: "redis-batch scale simulate rates.csv --consumer-rate 40 --start-up 30s --objective 1m --max 25",
      does: "compare all policies on your own load",
    },
  ],
  connects: false,
});

export const scaleRun = defineCommand({
  path: ["scale", "run"],
  summary: "Continuously scale a group",
  about: [
    "dry-run only prints the decisions.",
    "process runs one copy of the command per consumer on this machine, and sends SIGTERM to copies that are no longer needed.",
    "command runs the command for every order, with the order as a JSON object on standard input and in environment variables such as REDIS_BATCH_DESIRED. Exit code 0 means that the order was accepted.",
    "webhook sends every order as a POST request, signed with REDIS_BATCH_WEBHOOK_SECRET if that is set.",
    "kubernetes sets the replicas of a Deployment or StatefulSet through its scale subresource: in a cluster as the pod's service account, elsewhere with your kubeconfig, which needs @kubernetes/client-node.",
    "keda answers KEDA's external and external-push triggers for this stream and group, over gRPC; it needs @grpc/grpc-js and @grpc/proto-loader.",
    "If several scalers run for one group, one acts and the others stand by. The command waits for a stream or group that does not exist yet. Ctrl-C stops it. A process pool is drained first, even when this process is killed; workers that a dead pool has left count towards --max until they exit.",
  ],
  args: [
    STREAM,
    { name: "group", isName: true, about: "the consumer group" },
    { name: "command", about: "the command for process and command, after --", optional: true, many: true },
  ],
  options: {
    executor: {
      kind: "choice",
      choices: ["dry-run", "process", "command", "webhook", "kubernetes", "keda"],
      default: "dry-run",
      about: "how decisions are carried out",
    },
    strategy: flagOf(SCALING_SPEC.strategy),
    "dry-run": { kind: "flag", about: "ask the executor how many there are, and only print what would be ordered" },
    "webhook-url": { kind: "text", value: "url", about: "webhook: the URL that receives the orders" },
    drain: flagOf(PROCESS_POOL_SPEC.drainMs, { about: "process: time a worker may take to exit before it is killed" }),
    workload: {
      kind: "text",
      value: "name",
      about: "the workload to scale; with keda the one that KEDA scales, to ask for its replicas",
    },
    "workload-kind": {
      kind: "choice",
      choices: ["Deployment", "StatefulSet"],
      default: "Deployment",
      about: "the workload's kind",
    },
    namespace: {
      kind: "text",
      value: "name",
      about: "the workload's namespace; default: the pod's or the kubeconfig's",
    },
    kubeconfig: {
      kind: "text",
      value: "path",
      about: "the kubeconfig; default: KUBECONFIG or ~/.kube/config, in a pod its service account",
    },
    "kube-context": { kind: "text", value: "name", about: "the context in the kubeconfig; default: its current one" },
    port: flagOf(KEDA_SPEC.port, { default: 6000, about: "keda: the port; 0 picks a free one" }),
    host: flagOf(KEDA_SPEC.host, {
      value: "address",
      about: "keda: address to listen on; 0.0.0.0 accepts connections from everywhere, as a pod must",
    }),
    "serve-cert": { kind: "text", value: "path", about: "keda: the server's certificate, for TLS" },
    "serve-key": { kind: "text", value: "path", about: "keda: the private key of the certificate" },
    "serve-client-ca": {
      kind: "text",
      value: "path",
      about: "keda: the authority that must have signed a client's certificate",
    },
    ...SCALING,
  },
  examples: [
    { line: "redis-batch scale run orders billing --max 20", does: "print the decisions only" },
    {
      line: "redis-batch scale run orders billing --executor process --max 8 -- node worker.js",
      does: "run the workers on this machine",
    },
    {
      line: "redis-batch scale run orders billing --executor command -- ./set-replicas.sh",
      does: "scale with your own script",
    },
    {
      line: "redis-batch scale run orders billing --executor kubernetes --workload billing-worker --namespace shop",
      does: "scale a Deployment",
    },
    {
      line: "redis-batch scale run orders billing --executor keda --host 0.0.0.0 --min 0",
      does: "serve a KEDA ScaledObject",
    },
  ],
  connects: true,
  drains: true,
});
