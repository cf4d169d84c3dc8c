/** KEDA's external scaler, asked by a real gRPC client over a real connection. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { ConfigError } from "@redis-batch/core";
import {
  ApiServer,
  EventRecorder,
  eventually,
  ManualClock,
  sendHostileRequests,
  testCertificates,
  uniqueName,
  useServer,
} from "@redis-batch/test-support";
import { EXTERNAL_SCALER, KedaClient, type Pushed, type Ref } from "@redis-batch/test-support/keda";
import { describe, expect, it, onTestFinished } from "vitest";
import { startKedaScaler as startWithClock } from "../src/executors/keda/scaler.ts";
import { Scaler, type ScalerEvent } from "../src/index.ts";
import { type KedaScalerOptions, startKedaScaler } from "../src/keda.ts";
import { inCluster, kubernetesExecutor } from "../src/kubernetes.ts";
import { move, ORDER } from "./moves.ts";

const never = new AbortController().signal;
const place = { stream: "orders", group: "billing" };
const REF: Ref = { name: "worker", namespace: "shop", scalerMetadata: { scalerAddress: "scaler:6000", ...place } };
const pushed = (result: boolean) => (event: Pushed) =>
  event.type === "pushed" && (event.value as { result: boolean }).result === result;
const told = (status: string) => (event: Pushed) =>
  event.type === "pushed" && (event.value as { status: string }).status === status;

async function bench(options: Partial<KedaScalerOptions> = {}, credentials?: grpc.ChannelCredentials) {
  const clock = new ManualClock();
  const keda = await startWithClock({ port: 0, ...options }, clock);
  onTestFinished(() => keda.close());
  const client = new KedaClient(`localhost:${keda.port}`, credentials);
  onTestFinished(() => client.close());
  const executor = keda.executor(place);
  const onDecision = (from: number, to: number): void => executor.onDecision?.(move(from, to));
  return { clock, keda, client, executor, onDecision };
}

const refused = (code: grpc.status, details: string) => ({ code, details });

describe("the contract", () => {
  it("is the published one, number by number", () => {
    const fieldsOf = (message: string): Record<string, string> => {
      const { type } = EXTERNAL_SCALER[`externalscaler.${message}`] as { type: object };
      const { field: fields } = type as {
        field: { name: string; number: number; label: string; type: string; typeName: string }[];
      };
      const kind = ({ number, label, type: scalar, typeName }: (typeof fields)[number]): string =>
        `${number} ${label === "LABEL_REPEATED" ? "repeated " : ""}${typeName || scalar}`;
      return Object.fromEntries(fields.map((field) => [field.name, kind(field)]));
    };
    expect(fieldsOf("ScaledObjectRef")).toEqual({
      name: "1 TYPE_STRING",
      namespace: "2 TYPE_STRING",
      // What a map is on the wire.
      scalerMetadata: "3 repeated ScalerMetadata",
    });
    expect(fieldsOf("IsActiveResponse")).toEqual({ result: "1 TYPE_BOOL" });
    expect(fieldsOf("GetMetricSpecResponse")).toEqual({ metricSpecs: "1 repeated MetricSpec" });
    expect(fieldsOf("MetricSpec")).toEqual({
      ...{ metricName: "1 TYPE_STRING", targetSize: "2 TYPE_INT64", targetSizeFloat: "3 TYPE_DOUBLE" },
    });
    expect(fieldsOf("GetMetricsRequest")).toEqual({
      scaledObjectRef: "1 ScaledObjectRef",
      metricName: "2 TYPE_STRING",
    });
    expect(fieldsOf("GetMetricsResponse")).toEqual({ metricValues: "1 repeated MetricValue" });
    expect(fieldsOf("MetricValue")).toEqual({
      ...{ metricName: "1 TYPE_STRING", metricValue: "2 TYPE_INT64", metricValueFloat: "3 TYPE_DOUBLE" },
    });
    const methods = EXTERNAL_SCALER["externalscaler.ExternalScaler"] as grpc.ServiceDefinition;
    expect(
      Object.values(methods).map(({ path, requestStream, responseStream }) => [path, requestStream, responseStream]),
    ).toEqual([
      ["/externalscaler.ExternalScaler/IsActive", false, false],
      ["/externalscaler.ExternalScaler/StreamIsActive", false, true],
      ["/externalscaler.ExternalScaler/GetMetricSpec", false, false],
      ["/externalscaler.ExternalScaler/GetMetrics", false, false],
    ]);
  });
});

describe("what KEDA gets", () => {
  it("is one metric of a target of one, and its value is what was decided", async () => {
    const { client, onDecision } = await bench();
    onDecision(3, 8);
    expect(await client.getMetricSpec(REF)).toEqual({
      metricSpecs: [{ metricName: "desired_consumers", targetSize: 1, targetSizeFloat: 1 }],
    });
    expect(await client.getMetrics(REF)).toEqual({
      metricValues: [{ metricName: "desired_consumers", metricValue: 8, metricValueFloat: 8 }],
    });
    expect(await client.isActive(REF)).toEqual({ result: true });
  });

  it("is to have none, when none are wanted, and that is no absence of a value", async () => {
    const { client, onDecision } = await bench();
    onDecision(1, 0);
    expect(await client.isActive(REF)).toEqual({ result: false });
    expect(await client.getMetrics(REF)).toEqual({
      metricValues: [{ metricName: "desired_consumers", metricValue: 0, metricValueFloat: 0 }],
    });
  });

  it("stays what was ordered while the autoscaler is on its way there", async () => {
    const { client, onDecision } = await bench();
    onDecision(5, 14);
    onDecision(9, 9);
    expect(await client.getMetrics(REF)).toMatchObject({ metricValues: [{ metricValueFloat: 14 }] });
  });

  it("is nothing before there is a decision, and nothing after the last one is too old: never a zero", async () => {
    const { client, clock, onDecision } = await bench({ staleAfterMs: 60_000 });
    const undecided = refused(grpc.status.UNAVAILABLE, "nothing has been decided yet: do not change the replicas");
    await expect(client.getMetrics(REF)).rejects.toMatchObject(undecided);
    await expect(client.isActive(REF)).rejects.toMatchObject(undecided);
    // What to aim at is known at any time: KEDA asks for it first of all.
    expect(await client.getMetricSpec(REF)).toHaveProperty("metricSpecs.0.targetSizeFloat", 1);
    onDecision(3, 3);
    await clock.advance(60_000);
    expect(await client.isActive(REF)).toEqual({ result: true });
    await clock.advance(1);
    const stale = refused(grpc.status.UNAVAILABLE, "the last decision is too old: do not change the replicas");
    await expect(client.getMetrics(REF)).rejects.toMatchObject(stale);
    onDecision(3, 3);
    expect(await client.isActive(REF)).toEqual({ result: true });
  });

  it("is for each stream and group what their own scaler decided", async () => {
    const { client, keda, onDecision } = await bench();
    const other = { stream: "orders", group: "mail" };
    keda.executor(other).onDecision?.(move(1, 2));
    onDecision(3, 8);
    const valueOf = async (scalerMetadata: Record<string, string>): Promise<unknown> =>
      client.getMetrics({ ...REF, scalerMetadata });
    expect(await valueOf(place)).toHaveProperty("metricValues.0.metricValueFloat", 8);
    expect(await valueOf(other)).toHaveProperty("metricValues.0.metricValueFloat", 2);
  });

  it("is what is wrong with a trigger", async () => {
    const { client, onDecision } = await bench();
    onDecision(3, 8);
    const unknown = { ...REF, scalerMetadata: { stream: "orders", group: "x" } };
    const nobody = refused(grpc.status.NOT_FOUND, 'there is no scaler here for the stream "orders" and the group "x"');
    await expect(client.getMetrics(unknown)).rejects.toMatchObject(nobody);
    await expect(client.getMetricSpec(unknown)).rejects.toMatchObject(nobody);
    const unnamed = { ...REF, scalerMetadata: { stream: "orders" } };
    const missing = refused(grpc.status.INVALID_ARGUMENT, "the trigger's metadata must name a stream and a group");
    await expect(client.isActive(unnamed)).rejects.toMatchObject(missing);
    await expect(client.getMetrics(REF, "lag")).rejects.toMatchObject(
      refused(grpc.status.INVALID_ARGUMENT, 'there is no metric "lag", only "desired_consumers"'),
    );
    const { pushes } = client.streamIsActive(unknown);
    expect(await pushes.waitFor("ended")).toMatchObject({ code: grpc.status.NOT_FOUND });
  });
});

describe("a stream of activations", () => {
  it("tells at once what is, and then whenever it changes", async () => {
    const { client, onDecision } = await bench();
    onDecision(1, 0);
    const { pushes } = client.streamIsActive(REF);
    await pushes.waitFor("pushed");
    onDecision(0, 1);
    await pushes.waitFor(pushed(true));
    onDecision(1, 4);
    onDecision(4, 0);
    await pushes.waitFor("pushed", { count: 3 });
    const results = pushes.all("pushed").map(({ value }) => value);
    expect(results).toEqual([{ result: false }, { result: true }, { result: false }]);
  });

  it("begins with the first decision, when it was there before that", async () => {
    const { client, onDecision } = await bench();
    const { pushes } = client.streamIsActive(REF);
    // It has arrived once another call, sent after it over the same connection, was answered.
    await client.getMetricSpec(REF);
    expect(pushes.all("pushed")).toEqual([]);
    onDecision(2, 2);
    await pushes.waitFor(pushed(true));
  });

  it("reaches everybody who listens, and nobody who left", async () => {
    const { client, onDecision } = await bench();
    onDecision(1, 0);
    const [left, stays] = [client.streamIsActive(REF), client.streamIsActive(REF)];
    await Promise.all([left.pushes.waitFor("pushed"), stays.pushes.waitFor("pushed")]);
    left.cancel();
    await left.pushes.waitFor("ended");
    onDecision(0, 1);
    await stays.pushes.waitFor(pushed(true));
    expect(left.pushes.all("pushed")).toHaveLength(1);
  });
});

describe("health", () => {
  it("is served once there is a fresh decision for every executor, and not after it grew old", async () => {
    const { client, clock, keda, onDecision } = await bench({ staleAfterMs: 10_000 });
    const service = "externalscaler.ExternalScaler";
    expect(await client.check("")).toEqual({ status: "SERVING" });
    expect(await client.check(service)).toEqual({ status: "NOT_SERVING" });
    const { pushes } = client.watch(service);
    await pushes.waitFor(told("NOT_SERVING"));
    onDecision(1, 1);
    await pushes.waitFor(told("SERVING"));
    expect(await client.check(service)).toEqual({ status: "SERVING" });
    await clock.advance(10_001);
    await pushes.waitFor("pushed", { count: 3 });
    expect(pushes.all("pushed").at(-1)?.value).toEqual({ status: "NOT_SERVING" });
    onDecision(1, 1);
    keda.executor({ stream: "orders", group: "mail" });
    expect(await client.check(service)).toEqual({ status: "NOT_SERVING" });
  });

  it("of what does not exist is reported as such", async () => {
    const { client } = await bench();
    await expect(client.check("x")).rejects.toMatchObject({ code: grpc.status.NOT_FOUND });
    await client.watch("x").pushes.waitFor(told("SERVICE_UNKNOWN"));
  });
});

describe("closing", () => {
  it("tells the probes, ends the streams, and lets nobody in any more", async () => {
    const { client, keda, onDecision } = await bench();
    onDecision(2, 2);
    const activity = client.streamIsActive(REF);
    const health = client.watch("");
    await Promise.all([activity.pushes.waitFor("pushed"), health.pushes.waitFor("pushed")]);
    await Promise.all([keda.close(), keda.close()]);
    expect(await activity.pushes.waitFor("ended")).toMatchObject({ code: grpc.status.OK });
    await health.pushes.waitFor("ended");
    expect(health.pushes.all("pushed").map(({ value }) => value)).toEqual([
      { status: "SERVING" },
      { status: "NOT_SERVING" },
    ]);
    await expect(client.isActive(REF)).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
  });

  it("leaves no timer behind, and follows nothing any more", async () => {
    const { clock, keda, onDecision } = await bench();
    onDecision(1, 2);
    onDecision(2, 2);
    expect(clock.pending).toBe(1);
    await keda.close();
    onDecision(2, 3);
    expect(clock.pending).toBe(0);
  });

  it("does not wait for a connection that says nothing", async () => {
    const keda = await startKedaScaler({ port: 0 });
    const silent = connect(keda.port, "127.0.0.1");
    silent.on("error", () => undefined);
    onTestFinished(() => void silent.destroy());
    await once(silent, "connect");
    await keda.close();
    await expect(startKedaScaler({ port: keda.port }).then((next) => next.close())).resolves.toBeUndefined();
  });

  it("is ended by nothing that arrives at its port", async () => {
    const { keda, client, onDecision } = await bench();
    await sendHostileRequests(keda.port);
    onDecision(1, 1);
    expect(await client.isActive(REF)).toEqual({ result: true });
  });

  it("ends with the block that uses it", async () => {
    const port = await (async () => {
      await using keda = await startKedaScaler({ port: 0 });
      return keda.port;
    })();
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    expect(server.listening).toBe(true);
    server.close();
  });
});

describe("TLS", () => {
  const { ca, cert, key } = testCertificates();

  it("proves the server", async () => {
    const { client, onDecision } = await bench({ tls: { cert, key: key.toString() } }, grpc.credentials.createSsl(ca));
    onDecision(1, 1);
    expect(await client.isActive(REF)).toEqual({ result: true });
  });

  it("lets nobody ask without a certificate of the authority, where one is named", async () => {
    const tls = { cert, key, clientCa: ca };
    const { client, keda, onDecision } = await bench({ tls }, grpc.credentials.createSsl(ca, key, cert));
    onDecision(1, 1);
    expect(await client.isActive(REF)).toEqual({ result: true });
    const stranger = new KedaClient(`localhost:${keda.port}`, grpc.credentials.createSsl(ca));
    onTestFinished(() => stranger.close());
    await expect(stranger.isActive(REF)).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
  });
});

describe("a connection", () => {
  const { cert, key, ca } = testCertificates();

  it.each([
    ["in the clear", undefined, grpc.credentials.createInsecure()],
    ["in the middle of a TLS handshake", { cert, key }, grpc.credentials.createSsl(ca)],
  ])("that is reset takes nothing down: %s", async (_name, tls, credentials) => {
    const { client, keda, onDecision } = await bench(tls && { tls }, credentials);
    onDecision(1, 1);
    for (let index = 0; index < 20; index++) {
      const rude = connect(keda.port, "127.0.0.1");
      rude.on("error", () => undefined);
      await once(rude, "connect");
      // As a handshake begins, and as nothing of HTTP/2 does.
      rude.write(Buffer.from("16030100", "hex"));
      rude.resetAndDestroy();
    }
    expect(await client.isActive(REF)).toEqual({ result: true });
  });
});

describe("the options", () => {
  it("are refused all at once", async () => {
    const wrong = { staleAfterMs: 1, host: "", tls: { cert: "", key: "x" }, prot: 1 } as unknown as KedaScalerOptions;
    await expect(startKedaScaler(wrong)).rejects.toThrow(
      /unknown option "prot", did you mean "port"\?.*port is missing.*tls must have cert and key.*host must be.*staleAfterMs must be/,
    );
  });

  it("of an executor are, too, and there is one for each stream and group", async () => {
    const { keda } = await bench();
    expect(() => keda.executor({ stream: "", group: "" })).toThrow(/stream must be.*group must be/);
    expect(() => keda.executor(place)).toThrow('there is one for the stream "orders" and the group "billing"');
    expect(() => keda.executor(place)).toThrow(ConfigError);
  });

  it("name an address that can be had", async () => {
    const { keda } = await bench();
    await expect(startKedaScaler({ port: keda.port })).rejects.toThrow("EADDRINUSE");
  });
});

describe("an executor", () => {
  it("knows what was ordered last, and nothing before that", async () => {
    const { executor, onDecision } = await bench();
    expect(await executor.status(never)).toBeNull();
    onDecision(3, 8);
    await executor.scale(move(3, 8), never, ORDER);
    expect(await executor.status(never)).toEqual({ desired: 8, ready: null, startingMs: [], startUpsMs: [] });
  });
});

describe("a scaler through KEDA", () => {
  const redis = useServer();
  const WORKER = "/apis/apps/v1/namespaces/shop/deployments/worker";

  /** A pod's access to a cluster with one workload. */
  async function cluster() {
    const server = await ApiServer.start();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const worker = { replicas: 0, resourceVersion: 1 };
    server.workloads.set(WORKER, worker);
    server.tokens.add("t");
    const folder = mkdtempSync(join(tmpdir(), "service-account-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "token"), "t");
    writeFileSync(join(folder, "ca.crt"), testCertificates().ca);
    writeFileSync(join(folder, "namespace"), "shop");
    const env = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: String(server.port) };
    return { server, worker, access: inCluster({ folder, env }) };
  }

  it("is woken from none, and the autoscaler arrives at exactly what was decided", async () => {
    const { server, worker, access } = await cluster();
    const stream = uniqueName("stream");
    const scalerMetadata = { stream, group: "g" };
    const ref = { ...REF, scalerMetadata };
    await using keda = await startKedaScaler({ port: 0 });
    const client = new KedaClient(`localhost:${keda.port}`);
    onTestFinished(() => client.close());
    const workforce = kubernetesExecutor({ name: "worker", access });
    const executor = keda.executor({ ...scalerMetadata, workforce });
    const events = new EventRecorder<ScalerEvent>();
    const { options: connection } = redis.server;
    const options = { strategy: "ratio", maxConsumers: 4, observer: events.observe } as const;
    await using scaler = new Scaler({ redis: connection, stream, group: "g", ...options });

    // KEDA: wakes by what is pushed; the autoscaler: ⌈value ÷ target⌉, by one at a time.
    const { pushes } = client.streamIsActive(ref);
    const run = scaler.run({ intervalMs: 100, executor });
    await pushes.waitFor("pushed");
    expect(worker.replicas).toBe(0);
    await redis.server.command("XADD", stream, "*", "n", 1);
    await pushes.waitFor(pushed(true));
    worker.replicas = 1;
    const looks = async (): Promise<void> => {
      const { metricValues } = (await client.getMetrics(ref)) as { metricValues: { metricValueFloat: number }[] };
      worker.replicas += Math.sign(Math.ceil(metricValues[0]?.metricValueFloat ?? 0) - worker.replicas);
    };
    await eventually("the autoscaler arrives at four", async () => {
      await looks();
      return worker.replicas === 4;
    });
    await events.waitFor((event) => event.type === "decided" && event.decision.binding === "max");
    await looks();
    expect(worker.replicas).toBe(4);
    // It only ever looked: KEDA and the autoscaler carry it out.
    expect(new Set(server.asked.map(({ method }) => method))).toEqual(new Set(["GET"]));
    await scaler.close();
    await run;
  });
});
