import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { credentials } from "@grpc/grpc-js";
import {
  ApiServer,
  eventually,
  isProcessAlive,
  testCertificates,
  uniqueName,
  useServer,
} from "@redis-batch/test-support";
import { KedaClient } from "@redis-batch/test-support/keda";
import { describe, expect, it, onTestFinished } from "vitest";
import { expectEnd, ndjson, useCli } from "./cli.ts";

const redis = useServer();
const cli = useCli(redis);

/** A group in which messages wait and nobody works. */
async function waiting(purpose: string): Promise<string> {
  const stream = uniqueName(purpose);
  for (let n = 0; n < 5; n++) await redis.server.command("XADD", stream, "*", "n", n);
  await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
  return stream;
}

const WORKER = "/apis/apps/v1/namespaces/shop/deployments/worker";
const TOKEN = "token-of-a-person";

/** A cluster with one workload, and a kubeconfig for it. */
async function cluster(replicas: number) {
  const api = await ApiServer.start();
  onTestFinished(() => api[Symbol.asyncDispose]());
  api.workloads.set(WORKER, { replicas, resourceVersion: 1 });
  api.tokens.add(TOKEN);
  const kubeconfig = join(cli.folder, uniqueName("kubeconfig"));
  writeFileSync(kubeconfig, api.kubeconfig({ token: TOKEN }));
  const replicasNow = (): number | undefined => api.workloads.get(WORKER)?.replicas;
  const methods = (): string[] => api.asked.map(({ method }) => method);
  return { api, kubeconfig, replicasNow, methods };
}

/** Copied to where nothing but ioredis is installed beside it. */
function lonelyProgram(): string {
  const folder = mkdtempSync(join(tmpdir(), "rb-lonely-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(dirname(dirname(cli.bin)), folder, { recursive: true });
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(fileURLToPath(new URL("../node_modules/ioredis", import.meta.url)), join(folder, "node_modules/ioredis"));
  return join(folder, "dist/bin.js");
}

describe("scale run", () => {
  it("starts consumers where messages wait, and drains them on Ctrl-C", async () => {
    const stream = await waiting("pool");
    const worker = [process.execPath, cli.bin, "consume", stream, "g", "--max-wait", "10ms"];
    await using scaling = await cli.start([
      ...["scale", "run", stream, "g", "--executor", "process", "--interval", "100ms", "--max", "2", "--", ...worker],
    ]);
    await scaling.waitForLine(/^throughput: OUT, 0 -> 1/);
    await eventually("what waited is done", async () => {
      const [pending] = (await redis.server.command("XPENDING", stream, "g")) as number[];
      const [info] = (await redis.server.command("XINFO", "GROUPS", stream)) as unknown[][];
      const lag = info?.[11];
      return pending === 0 && lag === 0;
    });
    scaling.kill("SIGINT");
    expect((await scaling.exited).code).toBe(0);
    expect(scaling.stderr).toMatch(/worker \d+ started[^]*worker \d+ was asked to stop[^]*worker \d+ ended/);
    expect(await redis.server.command("XINFO", "CONSUMERS", stream, "g")).toEqual([]);
  });

  it("leaves no worker behind that is too much when it is killed: the next one never has more than --max", async () => {
    const stream = await waiting("killed");
    const worker = [
      "consume",
      stream,
      "g",
      "--batch-size",
      "1",
      "--max-wait",
      "10ms",
      "--lease",
      "10s",
      "--exec",
      "sleep 2",
    ];
    const command = [
      "scale",
      "run",
      stream,
      "g",
      "--executor",
      "process",
      "--interval",
      "100ms",
      "--min",
      "3",
      "--max",
      "4",
    ];
    const start = () => cli.start([...command, "--", process.execPath, cli.bin, ...worker]);
    const known = new Set<number>();
    let most = 0;
    const working = async (): Promise<number[]> => {
      const fields = (await redis.server.command("HGETALL", `rb:{${stream}}:consumers:${stream}:g`)) as string[];
      const pids = fields.flatMap((text, at) => (at % 2 === 0 ? [] : [(JSON.parse(text) as { pid: number }).pid]));
      for (const pid of pids) known.add(pid);
      most = Math.max(most, [...known].filter(isProcessAlive).length);
      return pids.filter(isProcessAlive);
    };
    await using first = await start();
    const left = await eventually("three work", async () => (await working()).length >= 3 && working(), {
      timeoutMs: 30_000,
    });
    await using second = await start();
    await eventually("it follows", () => second.stderr.includes("another scaler leads"), { timeoutMs: 30_000 });
    first.kill("SIGKILL");
    const isNew = (pid: number): boolean => !left.includes(pid);
    await eventually("three others work", async () => (await working()).filter(isNew).length >= 3, {
      timeoutMs: 60_000,
    });
    expect(left.filter(isProcessAlive)).toEqual([]);
    expect(most).toBeLessThanOrEqual(4);
    second.kill("SIGINT");
    expect((await second.exited).code).toBe(0);
    expect([...known].filter(isProcessAlive)).toEqual([]);
  });

  it("gives orders to a command, and to a webhook", async () => {
    const stream = await waiting("orders");
    const file = join(cli.folder, "order.json");
    const save = `require("node:fs").writeFileSync(${JSON.stringify(file)}, process.env.REDIS_BATCH_DESIRED)`;
    await using commanding = await cli.start([
      ...[
        "scale",
        "run",
        stream,
        "g",
        "--executor",
        "command",
        "--interval",
        "100ms",
        "--",
        process.execPath,
        "-e",
        save,
      ],
    ]);
    await eventually("it was ordered", async () => commanding.stderr.includes("ordered: 0 -> 1"));
    expect(readFileSync(file, "utf8")).toBe("1");
    commanding.kill("SIGINT");
    await commanding.exited;

    const other = await waiting("hook");
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      request.setEncoding("utf8").on("data", (text: string) => bodies.push(text));
      request.on("end", () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/scale`;
      await using hooking = await cli.start([
        ...["scale", "run", other, "g", "--executor", "webhook", "--webhook-url", url, "--interval", "100ms", "--json"],
      ]);
      await eventually("the order came", async () => bodies.length > 0);
      hooking.kill("SIGINT");
      await hooking.exited;
      expect(JSON.parse(bodies[0] ?? "")).toMatchObject({ stream: other, group: "g", desired: 1 });
      expect(ndjson(hooking.lines.join("\n"))[0]).toMatchObject({ direction: "OUT", current: 0, desired: 1 });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("scales a workload of a cluster, and with --dry-run only says what it would do", async () => {
    const stream = await waiting("cluster");
    const { kubeconfig, replicasNow, methods } = await cluster(1);
    const args = [
      ...["scale", "run", stream, "g", "--executor", "kubernetes", "--workload", "worker", "--interval", "100ms"],
      ...["--kubeconfig", kubeconfig, "--min", "3"],
    ];
    await using dry = await cli.start([...args, "--dry-run", "--json"]);
    const line = await dry.waitForLine(() => true, { timeoutMs: 20_000 });
    expect(JSON.parse(line)).toMatchObject({ direction: "OUT", current: 1, desired: 3 });
    dry.kill("SIGINT");
    expect((await dry.exited).code).toBe(0);
    expect([replicasNow(), new Set(methods())]).toEqual([1, new Set(["GET"])]);

    await using scaling = await cli.start(args);
    const said = "ordered: 1 -> 3 (kubernetes deployments/worker)";
    await eventually(said, async () => scaling.stderr.includes(said), { timeoutMs: 20_000 });
    scaling.kill("SIGINT");
    expect((await scaling.exited).code).toBe(0);
    expect(replicasNow()).toBe(3);
    expect(scaling.lines.join("\n") + scaling.stderr).not.toContain(TOKEN);
  });

  it("says what the cluster refuses, and what to do about it", async () => {
    const stream = await waiting("forbidden");
    const { api, kubeconfig, methods } = await cluster(1);
    const args = ["scale", "run", stream, "g", "--executor", "kubernetes", "--kubeconfig", kubeconfig];
    const nobody = await cli.run([...args, "--workload", "nobody"]);
    expectEnd(nobody, 5, "shop/nobody: it does not exist", "`kubectl get deployments` lists");
    const elsewhere = ["--workload", "worker", "--workload-kind", "StatefulSet", "--kube-context", "elsewhere"];
    const set = await cli.run([...args, ...elsewhere]);
    expectEnd(set, 5, "statefulsets/scale default/worker", "`kubectl get statefulsets` lists");
    api.forbidden.add("GET");
    const forbidden = await cli.run([...args, "--workload", "worker", "--namespace", "shop"]);
    const advice = "kubectl auth can-i patch deployments/worker --subresource=scale -n shop";
    expectEnd(forbidden, 4, "the role needs the verbs get and patch", advice);
    expect(methods()).not.toContain("PATCH");
    // A pod without its service account.
    const pod = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: "1" };
    const inPod = await cli.run(["scale", "run", stream, "g", "--executor", "kubernetes", "--workload", "worker"], {
      env: pod,
    });
    expectEnd(inPod, 2, "service account's", "automountServiceAccountToken");
  });

  it("tells KEDA what is wanted, and asks the cluster what there is", async () => {
    const stream = await waiting("keda");
    const { kubeconfig, methods } = await cluster(1);
    const { certPath, keyPath, caPath, ca, cert, key } = testCertificates();
    const tls = ["--serve-cert", certPath, "--serve-key", keyPath, "--serve-client-ca", caPath];
    await using scaling = await cli.start([
      ...[
        "scale",
        "run",
        stream,
        "g",
        "--executor",
        "keda",
        "--port",
        "0",
        "--interval",
        "100ms",
        "--min",
        "2",
        ...tls,
      ],
      ...["--workload", "worker", "--kubeconfig", kubeconfig],
    ]);
    await scaling.waitForLine(/^throughput: OUT, 1 -> 2/, { timeoutMs: 20_000 });
    const port = /listening for KEDA on 127\.0\.0\.1, port (\d+)/.exec(scaling.stderr)?.[1];
    const client = new KedaClient(`localhost:${port}`, credentials.createSsl(ca, key, cert));
    onTestFinished(() => client.close());
    const ref = { name: "worker", namespace: "shop", scalerMetadata: { stream, group: "g" } };
    await eventually("the decision is answered", async () => {
      const { metricValues } = (await client.getMetrics(ref)) as { metricValues: { metricValueFloat: number }[] };
      return metricValues[0]?.metricValueFloat === 2;
    });
    expect(await client.isActive(ref)).toEqual({ result: true });
    // Somebody is there already, and not everything is an address.
    const taken = ["scale", "run", stream, "g", "--executor", "keda", "--port", port ?? ""];
    expectEnd(await cli.run(taken), 1, "EADDRINUSE", "choose another --port");
    expectEnd(await cli.run([...taken, "--host", "192.0.2.1"]), 1, "--host must be an address of this machine");
    scaling.kill("SIGINT");
    expect((await scaling.exited).code).toBe(0);
    expect(new Set(methods())).toEqual(new Set(["GET"]));
  });

  it("starts nothing with --dry-run", async () => {
    const stream = await waiting("dry");
    await using dry = await cli.start([
      ...["scale", "run", stream, "g", "--executor", "process", "--dry-run", "--json", "--interval", "100ms"],
      ...["--", process.execPath, "--eval", "0"],
    ]);
    // The second decision comes after the first one was not carried out.
    await eventually("it has decided twice", async () => dry.lines.length > 1, { timeoutMs: 20_000 });
    dry.kill("SIGINT");
    expect((await dry.exited).code).toBe(0);
    expect(ndjson(dry.lines.join("\n"))[1]).toMatchObject({ direction: "OUT", current: 0, desired: 1 });
    expect(dry.stderr).not.toMatch(/worker \d+ started|ordered/);
  });

  it("names the library that is missing, and where it must be", async () => {
    expect.hasAssertions();
    const stream = await waiting("missing");
    const program = `'${process.execPath}' '${lonelyProgram()}' scale run ${stream} g`;
    expectEnd(
      await cli.shell(`${program} --executor keda --port 0`),
      2,
      "npm install @grpc/grpc-js @grpc/proto-loader",
      "npm install --global @redis-batch/cli @grpc/grpc-js @grpc/proto-loader",
      "npx -p @redis-batch/cli -p @grpc/grpc-js -p @grpc/proto-loader redis-batch",
    );
    const { kubeconfig } = await cluster(1);
    expectEnd(
      await cli.shell(`${program} --executor kubernetes --workload worker --kubeconfig '${kubeconfig}'`),
      2,
      "npm install --global @redis-batch/cli @kubernetes/client-node",
    );
    // The others do without.
    expectEnd(
      await cli.shell(`timeout -s INT 20 ${program} --executor command --json -- true | head -n 1`),
      0,
      '"OUT"',
    );
  });

  it("refuses what does not fit together", async () => {
    const stream = await waiting("refused");
    expectEnd(await cli.run(["scale", "run", stream, "g", "--executor", "process"]), 2, "needs a command", "after --");
    expectEnd(await cli.run(["scale", "run", stream, "g", "--", "worker"]), 2, "takes no command");
    expectEnd(await cli.run(["scale", "run", stream, "g", "--webhook-url", "http://h"]), 2, "belong together");
    const refuse = async (why: string, ...args: readonly string[]): Promise<void> =>
      expectEnd(await cli.run(["scale", "run", stream, "g", ...args]), 2, why);
    await Promise.all([
      refuse("needs --workload", "--executor", "kubernetes"),
      refuse("--workload is for --executor kubernetes or keda, not for dry-run", "--workload", "worker"),
      refuse("--serve-cert is for --executor keda", "--executor", "kubernetes", "--serve-cert", "c"),
      refuse("needs --workload", "--executor", "keda", "--namespace", "shop"),
      refuse("--serve-cert and --serve-key belong together", "--executor", "keda", "--serve-cert", "c"),
      refuse(
        "/nowhere/cert.pem cannot be read",
        ...["--executor", "keda", "--serve-cert", "/nowhere/cert.pem", "--serve-key", "k"],
      ),
    ]);
    expect(await redis.server.command("XINFO", "CONSUMERS", stream, "g")).toEqual([]);
  });
});
