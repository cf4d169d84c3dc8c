/** The Kubernetes executor against a server that speaks the API's protocol over real HTTPS. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CommandError,
  ConfigError,
  ConnectionError,
  PermissionError,
  RedisBatchError,
  ReplyShapeError,
  ServerStateError,
} from "@redis-batch/core";
import {
  ApiServer,
  deferred,
  EventRecorder,
  ManualClock,
  refuse,
  testCertificates,
  uniqueName,
  useServer,
} from "@redis-batch/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { ApiClient } from "../src/executors/kubernetes/api-client.ts";
import { Scaler, type ScalerEvent } from "../src/index.ts";
import { inCluster, type KubernetesExecutorOptions, kubernetesExecutor } from "../src/kubernetes.ts";
import { move, ORDER } from "./moves.ts";

const TOKEN = "token-of-the-service-account";
const WORKER = "/apis/apps/v1/namespaces/shop/deployments/worker";
const never = new AbortController().signal;

/** A cluster with one workload, and a pod's view of it: environment and mounted service account. */
async function bench(options: Partial<KubernetesExecutorOptions> = {}) {
  const server = await ApiServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.workloads.set(WORKER, { replicas: 3, resourceVersion: 41 });
  server.tokens.add(TOKEN);
  const folder = join(tmpdir(), uniqueName("service-account"));
  mkdirSync(folder);
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const mount = (file: string, content: string | Buffer): void => writeFileSync(join(folder, file), content);
  mount("token", `${TOKEN}\n`);
  mount("ca.crt", testCertificates().ca);
  mount("namespace", "shop");
  const env = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: String(server.port) };
  const access = inCluster({ folder, env });
  const executor = kubernetesExecutor({ name: "worker", access, ...options });
  const worker = server.workloads.get(WORKER) as { replicas: number; resourceVersion: number };
  return { server, executor, access, mount, worker, methods: () => server.asked.map(({ method }) => method) };
}

async function failure(attempt: Promise<unknown>): Promise<RedisBatchError> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!RedisBatchError.is(error)) throw new Error("expected an error of Redis Batch", { cause: error });
  expect(error.message).not.toContain(TOKEN);
  return error;
}

type Intervention = (request: IncomingMessage, response: ServerResponse) => boolean;
const refusing =
  (code: number, reason: string, headers: Record<string, string> = {}): Intervention =>
  (_, response) => {
    refuse(response, code, reason, `the server says ${reason}`, headers);
    return true;
  };

describe("status", () => {
  it("orders the number of replicas, with the service account's token and namespace", async () => {
    const { server, executor } = await bench();
    expect(await executor.status(never)).toEqual({ desired: 3, ready: null, startingMs: [], startUpsMs: [] });
    expect(server.asked).toEqual([{ method: "GET", path: `${WORKER}/scale`, token: TOKEN, body: null }]);
  });

  it("knows none by what is left out", async () => {
    const { executor, worker } = await bench();
    worker.replicas = 0;
    expect(await executor.status(never)).toMatchObject({ desired: 0 });
  });

  it("finds whatever can be scaled, in any namespace", async () => {
    const rollouts = { group: "argoproj.io", version: "v1alpha1", resource: "rollouts" };
    const { server, executor } = await bench({ workload: rollouts, namespace: "other", name: "worker.v2" });
    const path = "/apis/argoproj.io/v1alpha1/namespaces/other/rollouts/worker.v2";
    server.workloads.set(path, { replicas: 7, resourceVersion: 1 });
    expect(await executor.status(never)).toMatchObject({ desired: 7 });
    expect(executor.name).toBe("kubernetes rollouts/worker.v2");
    const { executor: sets, server: another } = await bench({ workload: "StatefulSet" });
    another.workloads.set(WORKER.replace("deployments", "statefulsets"), { replicas: 2, resourceVersion: 1 });
    expect(await sets.status(never)).toMatchObject({ desired: 2 });
  });
});

describe("scale", () => {
  it("sets the replicas of the version that was read, and nothing else", async () => {
    const { server, executor, worker } = await bench();
    await executor.scale(move(3, 8), never, ORDER);
    expect(worker).toEqual({ replicas: 8, resourceVersion: 42 });
    const patch = { metadata: { resourceVersion: "41" }, spec: { replicas: 8 } };
    expect(server.asked.at(-1)).toEqual({ method: "PATCH", path: `${WORKER}/scale`, token: TOKEN, body: patch });
  });

  it("goes to none and back", async () => {
    const { executor, worker } = await bench();
    await executor.scale(move(3, 0), never, ORDER);
    expect(worker.replicas).toBe(0);
    await executor.scale(move(0, 1), never, ORDER);
    expect(worker.replicas).toBe(1);
  });

  it("writes nothing when it is as it should be", async () => {
    const { executor, worker, methods } = await bench();
    worker.replicas = 8;
    await executor.scale(move(3, 8), never, ORDER);
    expect(methods()).toEqual(["GET"]);
  });

  it("reads again after a conflict, and sets it then", async () => {
    const { server, executor, worker, methods } = await bench();
    // Between its reading and its writing, somebody wrote the status.
    server.interventions.push(
      () => false,
      () => {
        worker.resourceVersion++;
        return false;
      },
    );
    await executor.scale(move(3, 8), never, ORDER);
    expect(worker.replicas).toBe(8);
    expect(methods()).toEqual(["GET", "PATCH", "GET", "PATCH"]);
  });

  it("overwrites nothing that somebody else set since it was decided", async () => {
    const { server, executor, worker, methods } = await bench();
    server.interventions.push(
      () => false,
      () => {
        worker.replicas = 5;
        worker.resourceVersion++;
        return false;
      },
    );
    const error = await failure(executor.scale(move(3, 8), never, ORDER));
    expect(error).toMatchObject({ code: "SERVER_STATE", state: "Conflict", retryable: true });
    expect(error.message).toContain("worker was set to 5 replicas by something else");
    expect(worker.replicas).toBe(5);
    expect(methods()).toEqual(["GET", "PATCH", "GET"]);
  });

  it("gives a conflict up that does not end", async () => {
    const { server, executor, worker, methods } = await bench();
    for (let index = 0; index < 20; index++) {
      server.interventions.push((request) => {
        if (request.method === "PATCH") worker.resourceVersion++;
        return false;
      });
    }
    const error = await failure(executor.scale(move(3, 8), never, ORDER));
    expect(error).toBeInstanceOf(ServerStateError);
    expect(error.message).toContain('it was changed in the meantime ("Operation cannot be fulfilled');
    expect(methods().filter((method) => method === "PATCH")).toHaveLength(5);
    expect(worker.replicas).toBe(3);
  });

  it("can be stopped while it waits for an answer", async () => {
    const { server, executor } = await bench();
    const asked = deferred<void>();
    server.interventions.push(() => {
      asked.resolve();
      return true;
    });
    const stop = new AbortController();
    const scaling = executor.scale(move(3, 8), stop.signal, ORDER);
    await asked.promise;
    stop.abort(new Error("told to stop"));
    await expect(scaling).rejects.toThrow("told to stop");
  });
});

describe("a service account", () => {
  it("is read again for each request: tokens and authorities are replaced", async () => {
    const { server, executor, mount } = await bench();
    await executor.status(never);
    server.tokens.clear();
    server.tokens.add("the next token");
    mount("token", "the next token");
    await executor.status(never);
    expect(server.asked.map(({ token }) => token)).toEqual([TOKEN, "the next token"]);
  });

  it("whose token is unknown is refused, and the error says so", async () => {
    const { server, executor } = await bench();
    server.tokens.clear();
    const error = await failure(executor.status(never));
    expect(error).toBeInstanceOf(PermissionError);
    expect(error.message).toContain("rejects the credentials");
  });

  it("that is not mounted, or is used outside of a cluster, is refused, and the error says what to do", async () => {
    const env = { KUBERNETES_SERVICE_HOST: "::1", KUBERNETES_SERVICE_PORT: "1" };
    const access = inCluster({ folder: join(tmpdir(), uniqueName("nothing")), env });
    expect(access.server.href).toBe("https://[::1]:1/");
    const error = await failure(kubernetesExecutor({ name: "worker", access }).status(never));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("automountServiceAccountToken: true");
    expect(() => inCluster({ env: {} })).toThrow("use kubeconfig() outside a cluster");
    expect(() => kubernetesExecutor({ name: "worker" })).toThrow("use kubeconfig() outside a cluster");
  });
});

describe("what cannot be", () => {
  it("a right that is missing is named", async () => {
    const { server, executor, worker } = await bench();
    server.forbidden.add("PATCH");
    const error = await failure(executor.scale(move(3, 8), never, ORDER));
    expect(error).toBeInstanceOf(PermissionError);
    expect(error).toMatchObject({ command: "patch deployments/scale", retryable: false });
    expect(error.message).toContain('cannot patch resource "deployments/scale"');
    expect(error.message).toContain("the role needs the verbs get and patch on deployments/scale with the name worker");
    expect(worker.replicas).toBe(3);
  });

  it("a workload that does not exist is reported", async () => {
    const { server, executor } = await bench();
    server.workloads.clear();
    const error = await failure(executor.status(never));
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({ reply: "NotFound", retryable: false });
    expect(error.message).toContain(
      'get deployments/scale shop/worker: it does not exist ("deployments.apps "worker" not found")',
    );
  });

  it.each([
    [429, "TooManyRequests"],
    [500, "InternalError"],
    [503, "ServiceUnavailable"],
  ])("an answer of %s is for now", async (code, reason) => {
    const { server, executor } = await bench();
    server.interventions.push(refusing(code, reason));
    const error = await failure(executor.status(never));
    expect(error).toBeInstanceOf(ServerStateError);
    expect(error).toMatchObject({ state: String(code), retryable: true });
    expect(error.message).toContain(`is temporarily refusing requests, with ${code} ("the server says ${reason}")`);
    expect(await executor.status(never)).toMatchObject({ desired: 3 });
  });

  it("a server that asks for a pause is left alone for so long", async () => {
    const { server, access, methods } = await bench();
    const clock = new ManualClock();
    const client = new ApiClient({ access, timeoutMs: 10_000, clock });
    const question = { verb: "get", resource: "deployments/scale", namespace: "shop", name: "worker" } as const;
    const ask = () => client.ask({ question, path: `${WORKER}/scale` }, never);
    server.interventions.push(refusing(429, "TooManyRequests", { "retry-after": "7" }));
    await failure(ask());
    const error = await failure(ask());
    expect(error).toMatchObject({ code: "SERVER_STATE", state: "Retry-After" });
    expect(error.message).toContain("asked for a pause, with 7 s left");
    await clock.advance(6_999);
    await failure(ask());
    expect(methods()).toHaveLength(1);
    await clock.advance(1);
    expect(await ask()).toContain("Scale");
  });

  it("another answer is quoted, but never what was sent", async () => {
    const { server, executor } = await bench();
    server.interventions.push((_, response) => {
      refuse(response, 422, "Invalid", `spec.replicas: no\n${"x".repeat(400)}`);
      return true;
    });
    const error = await failure(executor.status(never));
    expect(error).toMatchObject({ code: "COMMAND", reply: "422" });
    expect(error.message).toContain("spec.replicas: no x");
    expect(error.message.length).toBeLessThan(400);
    server.interventions.push((_, response) => {
      refuse(response, 400, "BadRequest", `what is "Bearer ${TOKEN}"?`);
      return true;
    });
    expect((await failure(executor.status(never))).message).toContain('what is "Bearer ***"?');
  });

  it.each([
    ["no JSON", "<html>a proxy's page</html>"],
    ["another kind", JSON.stringify({ kind: "Deployment", metadata: { resourceVersion: "1" }, spec: { replicas: 3 } })],
    ["no number", JSON.stringify({ kind: "Scale", metadata: { resourceVersion: "1" }, spec: { replicas: "3" } })],
    ["no version", JSON.stringify({ kind: "Scale", spec: { replicas: 3 } })],
  ])("an answer that is no scale is not taken for one: %s", async (_name, body) => {
    const { server, executor } = await bench();
    server.interventions.push((_request, response) => {
      response.writeHead(200).end(body);
      return true;
    });
    const error = await failure(executor.status(never));
    expect(error).toBeInstanceOf(ReplyShapeError);
    expect(error.message).not.toContain("proxy");
  });

  it("an answer without end is not read to it", async () => {
    const { server, executor } = await bench();
    server.interventions.push((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.writeHead(200).on("drain", more);
      more();
      return true;
    });
    const error = await failure(executor.status(never));
    expect(error).toBeInstanceOf(ReplyShapeError);
    expect(error.message).toContain("was answered with more than 1 MiB");
  });

  it("a redirection is not followed", async () => {
    const { server, executor, methods } = await bench();
    server.interventions.push((_, response) => {
      response.writeHead(307, { location: `https://127.0.0.1:${server.port}${WORKER}/scale` }).end();
      return true;
    });
    expect(await failure(executor.status(never))).toMatchObject({ code: "COMMAND", reply: "307" });
    expect(methods()).toEqual(["GET"]);
  });
});

describe("a connection", () => {
  it("that brings no answer in time is given up: nobody knows whether it was done", async () => {
    const { server, executor, worker } = await bench({ requestTimeoutMs: 200 });
    server.interventions.push(
      () => false,
      () => true,
    );
    const error = await failure(executor.scale(move(3, 8), never, ORDER));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ outcome: "unknown", retryable: true });
    expect(error.message).toContain("was not answered within 200 ms");
    expect(worker.replicas).toBe(3);
  });

  it("whose answer comes by drops is given up, too", async () => {
    const { server, executor } = await bench({ requestTimeoutMs: 200 });
    server.interventions.push((_, response) => {
      response.writeHead(200, { "content-type": "application/json" }).write('{"kind":');
      return true;
    });
    expect((await failure(executor.status(never))).message).toContain("was not answered within 200 ms");
  });

  it("that is cut leaves it open whether it was done, and the next one is as good as any", async () => {
    const { server, executor, worker } = await bench();
    server.interventions.push(
      () => false,
      (request) => {
        request.socket.destroy();
        return true;
      },
    );
    const error = await failure(executor.scale(move(3, 8), never, ORDER));
    expect(error).toMatchObject({ code: "CONNECTION", outcome: "unknown" });
    expect(error.message).toContain("broke before the answer arrived");
    await executor.scale(move(3, 8), never, ORDER);
    expect(worker.replicas).toBe(8);
  });

  it("that is cut in the middle of an answer is no answer", async () => {
    const { server, executor } = await bench();
    server.interventions.push((_, response) => {
      response.writeHead(200, { "content-length": "500" }).write('{"kind":"Scale"');
      setImmediate(() => response.destroy());
      return true;
    });
    expect(await failure(executor.status(never))).toMatchObject({ code: "CONNECTION", outcome: "unknown" });
  });

  it("that is refused was never sent", async () => {
    const { server, executor } = await bench();
    await server[Symbol.asyncDispose]();
    onTestFinished(() => undefined);
    const error = await failure(executor.status(never));
    expect(error).toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
    expect(error.message).toContain("could not be reached (ECONNREFUSED)");
  });

  it("to a server of another authority sends no token", async () => {
    const { server, executor, mount } = await bench();
    // A certificate, but not that of the authority that signed the server's.
    mount("ca.crt", testCertificates().cert);
    const error = await failure(executor.status(never));
    expect(error).toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
    expect(error.message).toContain("its certificate must be valid for this name");
    expect(server.asked).toEqual([]);
  });
});

describe("the options", () => {
  it("are refused all at once", () => {
    const access = { server: new URL("https://x"), namespace: async () => "x", credentials: async () => ({ tls: {} }) };
    const wrong = { name: "../secrets", namespace: "a/b", workload: { group: "a", version: "v1", resource: "x/y" } };
    expect(() => kubernetesExecutor({ access, requestTimeoutMs: 1, ...wrong })).toThrow(
      /name must be.*namespace must be.*workload must be.*requestTimeoutMs must be/,
    );
  });
});

describe("a scaler", () => {
  const redis = useServer();

  it("has its decision carried out in the cluster, and stays after that", async () => {
    const { executor, worker } = await bench();
    const stream = uniqueName("stream");
    await redis.server.command("XADD", stream, "*", "n", 1);
    const events = new EventRecorder<ScalerEvent>();
    const options = { strategy: "ratio", maxConsumers: 4 } as const;
    const { options: connection } = redis.server;
    await using scaler = new Scaler({ redis: connection, stream, group: "g", observer: events.observe, ...options });
    const run = scaler.run({ intervalMs: 100, executor });
    expect(await events.waitFor("scaled")).toMatchObject({ from: 3, to: 4, executor: "kubernetes deployments/worker" });
    await events.waitFor((event) => event.type === "decided" && event.decision.binding === "max");
    expect(worker.replicas).toBe(4);
    await scaler.close();
    await run;
  });

  it("ends with what no repetition can fix, and says what is to be done", async () => {
    const { server, executor } = await bench();
    server.forbidden.add("GET");
    const { options: connection } = redis.server;
    await using scaler = new Scaler({ redis: connection, stream: uniqueName("stream"), group: "g" });
    await expect(scaler.run({ intervalMs: 100, executor })).rejects.toThrow("the role needs the verbs get and patch");
  });
});
