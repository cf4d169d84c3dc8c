/** The programs that the guide for Kubernetes has you deploy, as real processes. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiServer, runWorker, uniqueName, useServer, type WorkerProcess } from "@redis-batch/test-support";
import { KedaClient } from "@redis-batch/test-support/keda";
import { expect, it, onTestFinished } from "vitest";

const redis = useServer();
const WORKER = "/apis/apps/v1/namespaces/orders/deployments/example-worker";

/** A cluster with one workload, a stream of which something waits, and the environment of a program that scales it. */
async function bench(replicas: number) {
  const cluster = await ApiServer.start();
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  const worker = { replicas, resourceVersion: 1 };
  cluster.workloads.set(WORKER, worker);
  cluster.tokens.add("a-persons-token");
  const folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "config");
  writeFileSync(file, cluster.kubeconfig({ token: "a-persons-token" }, { namespace: "orders" }));
  const stream = uniqueName("stream");
  await redis.server.command("XADD", stream, "*", "n", 1);
  const env = {
    ...{ KUBECONFIG: file, REDIS_URL: redis.server.url, STREAM: stream, GROUP: "g", WORKLOAD: "example-worker" },
    ...{ PROBE_PORT: "0", PORT: "0", KUBERNETES_SERVICE_HOST: undefined },
  };
  return { cluster, worker, stream, env };
}

const program = (name: string): URL => new URL(`../manifests/${name}`, import.meta.url);
const isOfType =
  (type: string) =>
  (line: string): boolean =>
    (JSON.parse(line) as { type: string }).type === type;

async function stop(process: WorkerProcess): Promise<void> {
  process.kill("SIGTERM");
  const { code } = await process.exited;
  expect({ code, stderr: process.stderr }).toEqual({ code: 0, stderr: "" });
}

it("scaler.ts brings a workload within its bounds, and ends when it is asked to", async () => {
  const { worker, env, cluster } = await bench(1);
  await using process = await runWorker(program("scaler.ts"), { env: { ...env, MIN_CONSUMERS: "3" } });
  const line = await process.waitForLine(isOfType("scaled"), { timeoutMs: 20_000 });
  expect(JSON.parse(line)).toMatchObject({ from: 1, to: 3, executor: "kubernetes deployments/example-worker" });
  expect(worker.replicas).toBe(3);
  await stop(process);
  expect(process.lines.join("\n") + process.stderr).not.toContain("a-persons-token");
  expect(cluster.asked.every(({ token }) => token === "a-persons-token")).toBe(true);
});

it("scaler.ts only says what it would do in a dry run", async () => {
  const { worker, env, cluster } = await bench(1);
  const dry = { ...env, MIN_CONSUMERS: "3", DRY_RUN: "true" };
  await using process = await runWorker(program("scaler.ts"), { env: dry });
  const line = await process.waitForLine(isOfType("decided"), { timeoutMs: 20_000 });
  expect(JSON.parse(line)).toMatchObject({ decision: { current: 1, desired: 3 } });
  await stop(process);
  expect(worker.replicas).toBe(1);
  expect(cluster.asked.map(({ method }) => method)).not.toContain("PATCH");
});

it("keda-scaler.ts tells KEDA, and changes nothing itself", async () => {
  const { stream, env, cluster } = await bench(0);
  await using process = await runWorker(program("keda-scaler.ts"), { env });
  const listening = await process.waitForLine(isOfType("listening"), { timeoutMs: 20_000 });
  const client = new KedaClient(`localhost:${(JSON.parse(listening) as { port: number }).port}`);
  onTestFinished(() => client.close());
  const scalerMetadata = { stream, group: "g" };
  const { pushes } = client.streamIsActive({ name: "example-worker", namespace: "orders", scalerMetadata });
  await pushes.waitFor("pushed");
  expect(pushes.all("pushed")[0]?.value).toEqual({ result: true });
  expect(await client.getMetrics({ name: "example-worker", namespace: "orders", scalerMetadata })).toEqual({
    metricValues: [{ metricName: "desired_consumers", metricValue: 1, metricValueFloat: 1 }],
  });
  await stop(process);
  await pushes.waitFor("ended");
  expect(cluster.asked.map(({ method }) => method)).not.toContain("PATCH");
});

it("metrics-api-scaler.ts shows it to anyone with the token, where the manifest has KEDA look", async () => {
  const { env } = await bench(0);
  await using process = await runWorker(program("metrics-api-scaler.ts"), { env: { ...env, SCALE_TOKEN: "secret" } });
  const listening = await process.waitForLine(isOfType("listening"), { timeoutMs: 20_000 });
  const url = `http://127.0.0.1:${(JSON.parse(listening) as { port: number }).port}`;
  await process.waitForLine(isOfType("scaled"), { timeoutMs: 20_000 });
  const ask = (token: string): Promise<Response> =>
    fetch(`${url}/scale`, { headers: { authorization: `Bearer ${token}` } });
  expect((await ask("another")).status).toBe(401);
  expect(await (await ask("secret")).json()).toMatchObject({ desired: 1, current: 0 });
  for (const probe of ["/healthz", "/readyz"]) expect((await fetch(url + probe)).status).toBe(200);
  await stop(process);
});
