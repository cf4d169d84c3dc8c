/** Each example of docs/connecting.md, in TypeScript and for the command line, against the servers that it is about. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  RedisServer,
  runWorker,
  startCluster,
  testCertificates,
  useServer,
  useServers,
} from "@redis-batch/test-support";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { examplesOf } from "./markdown.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(`${root}docs/connecting.md`, "utf8");
// Below docs/, so that the examples find the packages as a user's program would.
const folder = `${root}docs/.connecting`;

const USERS = [
  { name: "default", password: "s3cret", rules: "~* &* +@all" },
  { name: "shop", password: "s3cret", rules: "~* &* +@all" },
];
const plain = useServer({ users: USERS });
const tls = useServer({ tls: "mutual" });
const cluster = useServers((source) => startCluster({ source, primaries: 2, config: users("shop", "s3cret") }));
// One node with all slots.
const tlsCluster = useServer({
  tls: "server",
  config: ["cluster-enabled yes", "tls-cluster yes", "cluster-announce-ip 127.0.0.1"],
});
const tlsMaster = useServer({ tls: "server" });
const sentinels: RedisServer[] = [];

function users(name: string, password: string): string[] {
  return [`user ${name} on >${password} ~* &* +@all`];
}

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  const { ca, cert, key } = testCertificates();
  for (const [name, text] of Object.entries({ "ca.pem": ca, "client.pem": cert, "client-key.pem": key })) {
    writeFileSync(`${folder}/${name}`, text);
  }
  await tlsCluster.server.command("CLUSTER", "ADDSLOTSRANGE", 0, 16_383);
  const watch = ({ port }: RedisServer, ...more: string[]) => [
    `sentinel monitor mymaster 127.0.0.1 ${port} 1`,
    ...more,
  ];
  const withLogin = [
    "sentinel auth-user mymaster shop",
    "sentinel auth-pass mymaster s3cret",
    ...users("watcher", "w4tch"),
  ];
  sentinels.push(
    await RedisServer.start({ sentinelConfig: watch(plain.server, ...withLogin) }),
    await RedisServer.start({ tls: "server", sentinelConfig: watch(tlsMaster.server, "tls-replication yes") }),
  );
});
afterAll(async () => {
  await Promise.all(sentinels.map((sentinel) => sentinel.stop()));
  rmSync(folder, { recursive: true, force: true });
});

/** With the addresses of our servers: of several hosts, the second is one that does not answer. */
function here(text: string): string {
  const [first, second] = cluster.servers.nodes;
  const ports: Readonly<Record<string, number | undefined>> = {
    ...{ "redis.example:6379": plain.server.port, "tls.example:6380": tls.server.port },
    ...{ "sentinel1.example:26379": sentinels[0]?.port, "sentinel2.example:26379": 1 },
    ...{ "node1.example:7000": first?.port, "node2.example:7001": second?.port },
    ...{ "tls-sentinel.example:26379": sentinels[1]?.port, "tls-node.example:7000": tlsCluster.server.port },
  };
  let result = text.replaceAll(/"(?=[\w-]+\.pem")/g, `"${folder}/`);
  for (const [address, port] of Object.entries(ports)) {
    const [host = "", usual = ""] = address.split(":");
    result = result.replaceAll(address, `127.0.0.1:${port}`);
    result = result.replaceAll(
      new RegExp(`host: "${host}",(\\s+)port: ${usual}\\b`, "g"),
      `host: "127.0.0.1",$1port: ${port}`,
    );
  }
  expect(result).not.toContain(".example");
  return result;
}

describe("the examples of Connecting", () => {
  const examples = examplesOf(page);

  it.each(examples)("in line $line adds a message", async ({ line, code }) => {
    const file = `${folder}/${line}.ts`;
    writeFileSync(file, here(code));
    await using worker = await runWorker(file);
    expect(await worker.exited).toMatchObject({ code: 0 });
    expect(worker.lines.join()).toMatch(/^\d+-\d+$/);
  });

  const commands = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) => block.trim().split("\n"));

  it("on the command line find the streams", async () => {
    // In order: one saves the context that the next one uses.
    for (const command of commands) {
      const words = here(command).split(" ");
      const start = words.indexOf("redis-batch");
      const env: Record<string, string> = {};
      for (const [name = "", value = ""] of words.slice(0, start).map((word) => word.split("=", 2))) env[name] = value;
      await using program = await runWorker(`${root}packages/cli/src/bin.ts`, {
        args: words.slice(start + 1),
        env: { ...env, REDIS_BATCH_CONFIG: `${folder}/config.json`, REDIS_URL: undefined },
        cwd: folder,
      });
      const { code } = await program.exited;
      expect({ command, code, stderr: program.stderr }).toEqual({ command, code: 0, stderr: "" });
    }
    expect(commands).toHaveLength(8);
  });
});
