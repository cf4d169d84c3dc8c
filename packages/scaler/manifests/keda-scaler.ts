/** Reports to KEDA how many consumers the group needs. KEDA and the HorizontalPodAutoscaler carry it out. */
import { Scaler } from "@redis-batch/scaler";
import { startKedaScaler } from "@redis-batch/scaler/keda";
import { inCluster, kubeconfig, kubernetesExecutor } from "@redis-batch/scaler/kubernetes";

const { env } = process;
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
process.once("SIGINT", () => stop.abort());

const access = env["KUBERNETES_SERVICE_HOST"] ? inCluster() : await kubeconfig();
const place = { stream: env["STREAM"] ?? "", group: env["GROUP"] ?? "" };
const keda = await startKedaScaler({ host: "0.0.0.0", port: Number(env["PORT"] ?? 6000) });
console.log(JSON.stringify({ type: "listening", port: keda.port }));
// Used only to read the current number of replicas.
const workforce = kubernetesExecutor({ access, name: env["WORKLOAD"] ?? "" });
const scaler = new Scaler({
  ...place,
  redis: env["REDIS_URL"] ?? "",
  minConsumers: Number(env["MIN_CONSUMERS"] ?? 0),
  maxConsumers: Number(env["MAX_CONSUMERS"] ?? 10),
  observer: (event) => console.log(JSON.stringify({ at: new Date().toISOString(), ...event })),
});
try {
  await scaler.run({ executor: keda.executor({ ...place, workforce }), signal: stop.signal });
} finally {
  await scaler.close();
  await keda.close();
}
