/** Sets the replicas of a workload. In a cluster it uses its service account; elsewhere, to try it out, your kubeconfig. */
import { createServer } from "node:http";
import { Scaler } from "@redis-batch/scaler";
import { inCluster, kubeconfig, kubernetesExecutor } from "@redis-batch/scaler/kubernetes";

const { env } = process;
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
process.once("SIGINT", () => stop.abort());

const access = env["KUBERNETES_SERVICE_HOST"] ? inCluster() : await kubeconfig();
const executor = kubernetesExecutor({ access, name: env["WORKLOAD"] ?? "" });
let heardAtMs = performance.now();
const scaler = new Scaler({
  redis: env["REDIS_URL"] ?? "",
  stream: env["STREAM"] ?? "",
  group: env["GROUP"] ?? "",
  minConsumers: Number(env["MIN_CONSUMERS"] ?? 1),
  maxConsumers: Number(env["MAX_CONSUMERS"] ?? 10),
  observer(event) {
    heardAtMs = performance.now();
    console.log(JSON.stringify({ at: new Date().toISOString(), ...event }));
  },
});

// Each pass reports something, even when it failed. So silence means that the scaler is stuck.
const probes = createServer((_request, response) => {
  const isLive = performance.now() - heardAtMs < 60_000;
  response.writeHead(isLive ? 200 : 503).end(isLive ? "live\n" : "silent for a minute\n");
}).listen(Number(env["PROBE_PORT"] ?? 8080));

try {
  await scaler.run({ executor, dryRun: env["DRY_RUN"] === "true", signal: stop.signal });
} finally {
  probes.close();
  await scaler.close();
}
