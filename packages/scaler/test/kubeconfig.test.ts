/** Access by a kubeconfig, read by the official client, against a server that speaks the API's protocol over real HTTPS. */
import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ConfigError } from "@redis-batch/core";
import { ApiServer, uniqueName } from "@redis-batch/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { kubeconfig, kubernetesExecutor } from "../src/kubernetes.ts";
import { move, ORDER } from "./moves.ts";

const WORKER = "/apis/apps/v1/namespaces/shop/deployments/worker";
const never = new AbortController().signal;

/** A cluster, and a kubeconfig for it, with whatever a user is to have. */
async function bench(user: unknown, cluster: Record<string, unknown> = {}) {
  const server = await ApiServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.workloads.set(WORKER, { replicas: 3, resourceVersion: 41 });
  server.tokens.add("token-of-a-person");
  const folder = join(tmpdir(), uniqueName("kubeconfig"));
  mkdirSync(folder);
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "config");
  writeFileSync(file, server.kubeconfig(user, { cluster }));
  return { server, file, folder };
}

describe("a kubeconfig", () => {
  it("with a token scales in its context's namespace", async () => {
    const { server, file } = await bench({ token: "token-of-a-person" });
    const executor = kubernetesExecutor({ name: "worker", access: await kubeconfig({ file }) });
    expect(await executor.status(never)).toMatchObject({ desired: 3 });
    await executor.scale(move(3, 5), never, ORDER);
    expect(server.workloads.get(WORKER)?.replicas).toBe(5);
  });

  it("that logs in by running a program uses what that prints", async () => {
    const credential = {
      ...{ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential" },
      status: { token: "token-of-a-person" },
    };
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: process.execPath,
      args: ["--eval", `console.log(${JSON.stringify(JSON.stringify(credential))})`],
      interactiveMode: "Never",
    };
    const { server, file } = await bench({ exec });
    const executor = kubernetesExecutor({ name: "worker", access: await kubeconfig({ file }) });
    expect(await executor.status(never)).toMatchObject({ desired: 3 });
    expect(server.asked[0]?.token).toBe("token-of-a-person");
  });

  it("whose program fails is for now, and says so", async () => {
    const args = ["--eval", "process.exit(3)"];
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: process.execPath, args };
    const { file } = await bench({ exec: { ...exec, interactiveMode: "Never" } });
    const executor = kubernetesExecutor({ name: "worker", access: await kubeconfig({ file }) });
    await expect(executor.status(never)).rejects.toMatchObject({ code: "SERVER_STATE", state: "Credentials" });
  });

  it("takes the context that is named, whose namespace is default where it names none", async () => {
    const { server, file } = await bench({ token: "token-of-a-person" });
    const access = await kubeconfig({ file, context: "elsewhere" });
    const executor = kubernetesExecutor({ name: "worker", access });
    await expect(executor.status(never)).rejects.toMatchObject({ reply: "NotFound" });
    expect(server.asked[0]?.path).toBe("/apis/apps/v1/namespaces/default/deployments/worker/scale");
  });

  it.each([
    ["a context it does not know", { context: "nowhere" }, {}, '"nowhere"; it knows "there", "elsewhere"'],
    ["a cluster without TLS", {}, { server: "http://127.0.0.1:1" }, "must have an https:// address"],
    ["a proxy", {}, { "proxy-url": "http://127.0.0.1:1" }, "behind a proxy-url, which is not supported"],
  ])("is refused for %s", async (_name, options, cluster, words) => {
    const { file } = await bench({ token: "x" }, cluster);
    const attempt = kubeconfig({ file, ...options });
    await expect(attempt).rejects.toThrow(ConfigError);
    await expect(attempt).rejects.toThrow(words);
  });

  it("that does not exist is reported", async () => {
    await expect(kubeconfig({ file: join(tmpdir(), uniqueName("nothing")) })).rejects.toThrow("cannot be read: ENOENT");
  });
});

describe("the official client", () => {
  // In a process of its own, whose Node is made to be as it is where that does not work.
  const tryWith = async (preparation: string): Promise<string> => {
    const door = new URL("../src/kubernetes.ts", import.meta.url).href;
    const program = `import { kubeconfig } from ${JSON.stringify(door)}; await kubeconfig().catch((error) => console.log(error.code, error.message));`;
    const args = [
      "--conditions=@redis-batch/source",
      ...["--import", `data:text/javascript,${encodeURIComponent(preparation)}`],
      ...["--input-type=module", "--eval", program],
    ];
    const env = { PATH: process.env["PATH"], HOME: tmpdir() };
    return (await promisify(execFile)(process.execPath, args, { env })).stdout;
  };
  const withHooks = (hooks: string): Promise<string> =>
    tryWith(`import { registerHooks } from "node:module"; registerHooks({ ${hooks} });`);

  it("that is not installed is named", async () => {
    const missing = `resolve: (name, context, next) => next(name === "@kubernetes/client-node" ? "@kubernetes/is-not-there" : name, context)`;
    expect(await withHooks(missing)).toContain("is needed to read one: npm install @kubernetes/client-node");
  });

  it("that does not load is reported as something else", async () => {
    const broken = `load: (url, context, next) => url.includes("client-node") ? { format: "module", shortCircuit: true, source: "throw new Error('broken')" } : next(url, context)`;
    expect(await withHooks(broken)).toContain("CONFIG kubeconfig: @kubernetes/client-node does not load (broken)");
  });

  it("is not even loaded on a Node it would take down", async () => {
    const said = await tryWith(`import zlib from "node:zlib"; delete zlib.createZstdDecompress;`);
    expect(said).toContain("client-node needs Node 22.15 or newer; in a pod use inCluster()");
  });

  it("finds nothing where there is no file", async () => {
    expect(await tryWith("")).toContain("CONFIG kubeconfig: there is no kubeconfig: set KUBECONFIG, or give a file");
  });
});
