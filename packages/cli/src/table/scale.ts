import { defineCommand, defineOptions } from "../command-line/spec.ts";

const SCALING = defineOptions({
  min: { kind: "number", value: "n", min: 0, max: 100_000, about: "consumers there are at least" },
  max: { kind: "number", value: "n", min: 1, max: 100_000, about: "consumers there are at most" },
  objective: {
    kind: "duration",
    minMs: 100,
    maxMs: 86_400_000,
    default: "30s",
    about: "how long a message may take from its arrival to its acknowledgement",
  },
  "out-rate": { kind: "number", value: "percent", min: 0, max: 100, default: 50, about: "ratio: add one from here on" },
  "in-rate": { kind: "number", value: "percent", min: 0, max: 100, default: 10, about: "ratio: take one away below" },
  interval: { kind: "duration", minMs: 100, maxMs: 3_600_000, default: "5s", about: "time between two decisions" },
});

export const scale = defineCommand({
  path: ["scale"],
  summary: "Say how many consumers a group needs, and why",
  about: [
    "By both strategies: ratio, the original's rule, one consumer more or less by what waits in percent of what is pending; and throughput, enough for what arrives and to work off what waits within the objective. Nothing is changed. The throughput strategy learns from look to look: --watch lets it.",
  ],
  args: [
    { name: "stream", isName: true, about: "the stream's key" },
    { name: "group", isName: true, about: "the consumer group" },
  ],
  options: {
    strategy: { kind: "choice", choices: ["both", "throughput", "ratio"], default: "both", about: "whose decision" },
    ...SCALING,
    watch: { kind: "flag", short: "w", about: "go on deciding, until Ctrl-C" },
  },
  examples: [
    { line: "redis-batch scale orders billing", does: "what both would do now" },
    {
      line: "redis-batch scale orders billing --watch --strategy throughput --max 20",
      does: "what it would do, as it learns",
    },
    { line: "redis-batch scale orders billing --strategy ratio --json", does: "for a script" },
  ],
  connects: true,
  drains: true,
});

export const scaleSimulate = defineCommand({
  path: ["scale", "simulate"],
  summary: "Try policies on a trace, and compare what comes of them",
  about: [
    "Simulates a group message by message, hours in seconds, and tells for each policy how many messages were done or late, how many of them later than the objective, how long 99 of 100 took, the consumer-hours, also in relation to those of oracle, how often the number of consumers was changed, and how often a change took the one before back within ten minutes, and the messages of consumers that were killed because they took too long to go. oracle, which knows the future, is always among them, as the measure. Needs no server.",
    'A trace is one of those that come with it (without an argument they are listed, and so are the policies), or a file of rates that you recorded; - is standard input. A line of it is a moment and the messages per second from then on: NDJSON, {"time":"2026-01-31T12:00:00Z","rate":12.5}, or CSV, 0,12.5, below a heading time,rate or none. A time is a number of seconds, or a date and time with a time zone, and later than that of the line before. The last rate holds for as long as the one before it. A trace has a week and ten million messages at most.',
    "What no option says is as the trace has it, or for a file as the options tell. Work and starts scatter.",
  ],
  args: [{ name: "trace", about: "its name, or the path of a file", optional: true }],
  options: {
    policies: { kind: "text", value: "name,…", about: "which to compare; all by default" },
    work: {
      kind: "duration",
      minMs: 1,
      maxMs: 86_400_000,
      about: "how long a consumer is at work on a message; of a file 50ms",
    },
    "batch-overhead": {
      kind: "duration",
      minMs: 0,
      maxMs: 3_600_000,
      about: "what a batch takes beside its messages; of a file 100ms",
    },
    "batch-size": { kind: "number", value: "n", min: 1, max: 10_000, about: "messages in a full batch; of a file 20" },
    "consumer-rate": {
      kind: "number",
      value: "n",
      min: 1,
      max: 100_000,
      about: "messages per second that a consumer works off, instead of --work and --batch-overhead",
    },
    "start-up": {
      kind: "duration",
      minMs: 1,
      maxMs: 3_600_000,
      about: "from the order until a consumer works; of a file 14s",
    },
    objective: {
      kind: "duration",
      minMs: 100,
      maxMs: 86_400_000,
      about: "how long a message may take from its arrival to its acknowledgement; of a file 30s",
    },
    min: { kind: "number", value: "n", min: 0, max: 10_000, about: "consumers there are at least; of a file 1" },
    max: { kind: "number", value: "n", min: 1, max: 10_000, about: "consumers there are at most; of a file 40" },
    first: {
      kind: "number",
      value: "n",
      min: 0,
      max: 10_000,
      about: "consumers that are there when it begins; of a file as many as its first rate needs",
    },
    seeds: { kind: "text", value: "n,…", default: "1,2,3", about: "chance: the mean over these is told" },
  },
  examples: [
    { line: "redis-batch scale simulate", does: "which traces and policies there are" },
    { line: "redis-batch scale simulate burst --policies throughput,keda-lag", does: "two of them on one" },
    {
      line: "redis-batch scale simulate rates.csv --consumer-rate 40 --start-up 30s --objective 1m --max 25",
      does: "on your own load",
    },
  ],
  connects: false,
});

export const scaleRun = defineCommand({
  path: ["scale", "run"],
  summary: "Decide again and again, and have as many consumers as are needed",
  about: [
    "process: starts the command as often as consumers are needed, on this machine, and tells those that are not needed any more to end (SIGTERM). command: runs it with every order, a JSON object on standard input, and REDIS_BATCH_DESIRED and its like in the environment; 0 means ordered. webhook: sends the order with POST, signed with REDIS_BATCH_WEBHOOK_SECRET where that is set. kubernetes: sets the replicas of a Deployment or StatefulSet, by its scale subresource; in a cluster as the pod's service account, elsewhere by your kubeconfig, which needs @kubernetes/client-node. keda: answers KEDA's triggers external and external-push, which name the same stream and group, by gRPC; needs @grpc/grpc-js and @grpc/proto-loader. dry-run: only tells.",
    "Of several on one group one acts, the others follow when it is gone. A stream or group that is not there yet is waited for. Ctrl-C ends it; a process pool is drained first, also when this is killed, and the workers of one that died count for --max as long as they are there.",
  ],
  args: [
    { name: "stream", isName: true, about: "the stream's key" },
    { name: "group", isName: true, about: "the consumer group" },
    { name: "command", about: "what process and command run, after --", optional: true, many: true },
  ],
  options: {
    executor: {
      kind: "choice",
      choices: ["dry-run", "process", "command", "webhook", "kubernetes", "keda"],
      default: "dry-run",
      about: "who carries decisions out",
    },
    strategy: { kind: "choice", choices: ["throughput", "ratio"], default: "throughput", about: "how it is decided" },
    "dry-run": { kind: "flag", about: "ask the executor what there is, and only tell what would be ordered" },
    "webhook-url": { kind: "text", value: "url", about: "where webhook sends orders" },
    drain: {
      kind: "duration",
      minMs: 100,
      maxMs: 86_400_000,
      default: "1m",
      about: "process: how long a worker may take to end before it is killed",
    },
    workload: {
      kind: "text",
      value: "name",
      about: "kubernetes: what is scaled; keda: what it scales, for asking how many replicas there are",
    },
    "workload-kind": {
      kind: "choice",
      choices: ["Deployment", "StatefulSet"],
      default: "Deployment",
      about: "its kind",
    },
    namespace: { kind: "text", value: "name", about: "where it is; that of the pod or of the kubeconfig by default" },
    kubeconfig: {
      kind: "text",
      value: "path",
      about: "who asks; by default KUBECONFIG or ~/.kube/config, in a pod the pod",
    },
    "kube-context": { kind: "text", value: "name", about: "the context in the kubeconfig; its current one by default" },
    port: {
      kind: "number",
      value: "n",
      min: 0,
      max: 65_535,
      default: 6000,
      about: "keda: the port; 0 takes any free one",
    },
    host: {
      kind: "text",
      value: "address",
      default: "127.0.0.1",
      about: "keda: where to listen; 0.0.0.0 lets everybody in, as it must in a pod",
    },
    "serve-cert": { kind: "text", value: "path", about: "keda: the server's certificate, for TLS" },
    "serve-key": { kind: "text", value: "path", about: "keda: its key" },
    "serve-client-ca": {
      kind: "text",
      value: "path",
      about: "keda: who asks must have a certificate of this authority",
    },
    ...SCALING,
  },
  examples: [
    { line: "redis-batch scale run orders billing --max 20", does: "a dry run" },
    {
      line: "redis-batch scale run orders billing --executor process --max 8 -- node worker.js",
      does: "workers of this machine",
    },
    {
      line: "redis-batch scale run orders billing --executor command -- ./set-replicas.sh",
      does: "whatever your own script scales",
    },
    {
      line: "redis-batch scale run orders billing --executor kubernetes --workload billing-worker --namespace shop",
      does: "a Deployment",
    },
    {
      line: "redis-batch scale run orders billing --executor keda --host 0.0.0.0 --min 0",
      does: "for a ScaledObject of KEDA",
    },
  ],
  connects: true,
  drains: true,
});
