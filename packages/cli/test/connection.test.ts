import { lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  eventually,
  FaultProxy,
  RedisServer,
  startCluster,
  startSentinel,
  testCertificates,
  uniqueName,
  useServer,
  useServers,
} from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, expectNoControls, expectSameContent, needsTool, useCli } from "./cli.ts";

const PASSWORD = "s3cr3t/ü:@";

describe("a server with users", () => {
  const redis = useServer({
    users: [
      { name: "default", password: PASSWORD, rules: "~* &* +@all" },
      { name: "looker", password: PASSWORD, rules: "~look-* +xinfo +xlen +ping" },
    ],
    speakAs: "default",
  });
  const cli = useCli();
  const at = () => ["--url", `redis://127.0.0.1:${redis.server.port}`];

  it("takes the password from the environment, a file, or REDIS_URL, and never from the command line", async () => {
    const file = join(cli.folder, "password");
    writeFileSync(file, `${PASSWORD}\nnot this line\n`);
    expectEnd(await cli.run(["streams", ...at()], { env: { REDIS_PASSWORD: PASSWORD } }), 0, "There are no streams.");
    expectEnd(await cli.run(["streams", ...at()], { env: { REDISCLI_AUTH: PASSWORD } }), 0);
    expectEnd(await cli.run(["streams", ...at(), "--password-file", file]), 0);
    expectEnd(await cli.run(["streams"], { env: { REDIS_URL: redis.server.url } }), 0);
    const given = await cli.run(["streams", "--url", redis.server.url]);
    expectEnd(given, 2, "process list", "REDIS_PASSWORD");
    expect(given.stderr).not.toContain("s3cr3t");
  });

  it("asks for it on the terminal, and shows nothing of it", async (context) => {
    needsTool(context, "script");
    const screen = join(cli.folder, "screen");
    const isAsked = `until grep -aqs 'Password: ' ${screen}; do sleep 0.02; done`;
    const typing = `{ ${isAsked}; printf '${PASSWORD.replace("ü", "\\303\\274")}\\r'; }`;
    const asked = await cli.shell(
      `export REDIS_URL=; ${typing} | script -qefc "$RB streams ${at().join(" ")} --ask-password" ${screen}`,
    );
    expectEnd(asked, 0, "Password: ", "There are no streams.");
    expect(asked.stdout).not.toContain("s3cr3t");
    expectEnd(await cli.run(["streams", ...at(), "--ask-password"]), 2, "there is no terminal to ask");
  });

  it("tells a wrong password, a missing one, and a missing right apart from everything else", async () => {
    for (const env of [{ REDIS_PASSWORD: "wrong-one" }, {}]) {
      const refused = await cli.run(["streams", ...at()], { env });
      expectEnd(refused, 4, "--password-file");
      expect(refused.stderr).not.toContain("wrong-one");
    }
    const env = { REDIS_PASSWORD: PASSWORD };
    expectEnd(
      await cli.run(["streams", ...at(), "--user", "looker"], { env }),
      4,
      "lacks a right",
      "scan",
      "redis-batch acl",
    );
    expectEnd(await cli.run(["produce", "look-x", "a=1", ...at(), "--user", "looker"], { env }), 4, "xadd");
    await redis.server.command("XADD", "look-x", "*", "a", "1");
    await redis.server.command("XGROUP", "CREATE", "look-x", "g", "0");
    // What it may not see is unknown; the rest is shown.
    const groups = await cli.json(["groups", "look-x", ...at(), "--user", "looker"], { env });
    expect(groups).toMatchObject({ length: 1, groups: [{ group: "g", deadLetters: null, oldestPending: null }] });
  });
});

describe("contexts", () => {
  const redis = useServer();
  const cli = useCli();
  const url = () => redis.server.url;

  it("are added, chosen, listed and removed, and hold no password", async () => {
    expectEnd(await cli.run(["context", "list"]), 0, "There are no contexts");
    expectEnd(await cli.run(["context", "add", "here", "--url", url()]), 0);
    expect(statSync(join(cli.folder, "config.json")).mode & 0o777).toBe(0o600);
    expectEnd(
      await cli.run(["context", "add", "away", "--url", "redis://app@127.0.0.1:1", "--password-env", "APP"]),
      0,
    );
    expectEnd(await cli.run(["context", "add", "away", "--url", url()]), 6, "--force");
    expectEnd(await cli.run(["context", "add", "x", "--url", "redis://u:pw@h"]), 2, "process list");
    expectEnd(await cli.run(["context", "add", "x", "--url", "http://h"]), 2, "the URL must look like");
    expect(await cli.json(["context", "list"])).toEqual({
      contexts: [
        { context: "here", current: true, server: url(), user: null, password: null, tls: false },
        {
          context: "away",
          current: false,
          server: "redis://app@127.0.0.1:1",
          user: null,
          password: "variable APP",
          tls: false,
        },
      ],
    });
    expectEnd(await cli.run(["streams"]), 0);
    // Files are found from other folders, too.
    const file = join(cli.folder, "files.json");
    const files = ["--tls-ca", "ca.pem", "--password-file", "secret"];
    const withFiles = await cli.run(["context", "add", "f", "--url", "redis://h", ...files], {
      env: { REDIS_BATCH_CONFIG: file },
    });
    expectEnd(withFiles, 0, "warn:  there is no file", "ca.pem");
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({
      contexts: { f: { tlsCa: resolve("ca.pem"), passwordFile: resolve("secret") } },
    });
    const env = { APP: "pw" };
    expectEnd(
      await cli.run(["streams", "--context", "away", "--connect-timeout", "200ms"], { env }),
      3,
      'the context "away"',
    );
    expectEnd(await cli.run(["streams", "--context", "away"]), 2, "APP, which is not set");
    // The environment goes before the current context, and the command line before both.
    expectEnd(
      await cli.run(["streams", "--connect-timeout", "200ms"], { env: { REDIS_URL: "redis://127.0.0.1:1" } }),
      3,
      "REDIS_URL",
    );
    expectEnd(await cli.run(["streams", "--url", url()], { env: { REDIS_URL: "redis://127.0.0.1:1" } }), 0);
    expectEnd(await cli.run(["context", "use", "away"]), 0);
    expectEnd(await cli.run(["streams"]), 2, "APP");
    expectEnd(await cli.run(["context", "remove", "away"]), 0);
    expectEnd(await cli.run(["context", "use", "away"]), 5, "the contexts are: here");
    writeFileSync(join(cli.folder, "config.json"), '{"version":1,"contexts":{"a":{"urll":"redis://u:pw@h"}}}');
    const broken = await cli.run(["streams", "--context", "a"]);
    expectEnd(broken, 2, 'unknown option "urll", did you mean "url"?');
    expect(broken.stderr).not.toContain("pw");
    expect.hasAssertions();
  });

  it("keep what several write at once, for their owner only, and through a link", async () => {
    const [file, kept] = [join(cli.folder, "shared.json"), join(cli.folder, "kept.json")];
    writeFileSync(kept, '{"version":1,"contexts":{"first":{"url":"redis://h"}}}', { mode: 0o644 });
    symlinkSync(kept, file);
    const env = { REDIS_BATCH_CONFIG: file };
    const names = ["a", "b", "c", "constructor", "__proto__", "e\u001b[2J"];
    const ends = await Promise.all(
      names.map((name) => cli.run(["context", "add", name, "--url", "redis://h"], { env })),
    );
    for (const ended of ends) expectEnd(ended, 0);
    const listed = await cli.json(["context", "list"], { env });
    const found = (listed["contexts"] as { context: string }[]).map(({ context }) => context);
    expect(found.toSorted()).toEqual([...names, "first"].toSorted());
    expect([lstatSync(file).isSymbolicLink(), statSync(kept).mode & 0o777]).toEqual([true, 0o600]);
    expect(readdirSync(cli.folder).filter((name) => /^(shared|kept)\.json./.test(name))).toEqual([]);
    const table = await cli.run(["context", "list"], { env });
    expectSameContent(table.stdout, listed);
    expectNoControls(table.stdout);
    for (const words of [
      ["add", "a", "--url", "redis://h", "--force"],
      ["use", "a"],
    ]) {
      const told = await cli.run(["context", ...words], { env });
      expectSameContent(told.stdout, await cli.json(["context", ...words], { env }));
    }
    // One that was cut off in the middle of it.
    writeFileSync(`${kept}.lock`, "");
    expectEnd(
      await cli.run(["context", "remove", "a"], { env }),
      6,
      "another process is changing it",
      "kept.json.lock",
    );
  });

  it("touch no file that they cannot understand", async () => {
    const file = join(cli.folder, "broken.json");
    const env = { REDIS_BATCH_CONFIG: file };
    for (const text of ["", "null", '"hunter-2"', "[]", '{"version":1,"contexts":[]}', "{", "\u0000\u001b[2J"]) {
      writeFileSync(file, text);
      const ended = await cli.run(["context", "add", "a", "--url", "redis://h", "--force"], { env });
      expectEnd(ended, 2, file, "fix:   fix the file");
      expectNoControls(ended.stderr);
      expect(ended.stderr).not.toContain("hunter-2");
      expect(readFileSync(file, "utf8")).toBe(text);
    }
    expectEnd(await cli.run(["context", "list"], { env: { REDIS_BATCH_CONFIG: cli.folder } }), 2, "cannot be read");
    const nowhere = { REDIS_BATCH_CONFIG: "/dev/null/config.json" };
    expectEnd(await cli.run(["context", "add", "a", "--url", "redis://h"], { env: nowhere }), 2, "cannot be written");
  });

  it("say where nobody answers, and what to do", async () => {
    const away = await cli.run(["streams", "--url", "redis://127.0.0.1:1", "--connect-timeout", "200ms"]);
    expectEnd(away, 3, "ECONNREFUSED 127.0.0.1:1", "is the server running? The address comes from the command line");
    expect.hasAssertions();
  });
});

describe("an outage", () => {
  const redis = useServer({ persistence: "aof" });
  const cli = useCli(redis);

  it("is reported, waited for, and costs no message", async () => {
    const stream = uniqueName("outage");
    await redis.server.command("XADD", stream, "*", "n", "1");
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    await using consuming = await cli.start(["consume", stream, "g", "--max-wait", "10ms"]);
    await using watching = await cli.start(["monitor", stream, "g", "--watch", "--interval", "100ms"]);
    await using following = await cli.start(["tail", stream, "-f"]);
    await consuming.waitForLine(/"n":"1"/);
    await watching.waitForLine(/waiting 0/);
    await following.waitForLine(/n=1/);
    await redis.server.kill();
    for (const worker of [consuming, watching]) {
      await eventually("it says so", async () => worker.stderr.includes("reconnecting"));
    }
    // What only looks has nothing to hold on to.
    expect((await following.exited).code).toBe(3);
    await redis.server.restart();
    await redis.server.command("XADD", stream, "*", "n", "2");
    await consuming.waitForLine(/"n":"2"/, { timeoutMs: 20_000 });
    await watching.waitForLine(/waiting 0/, { after: watching.lines.length, timeoutMs: 20_000 });
    for (const worker of [consuming, watching]) {
      worker.kill("SIGINT");
      expect((await worker.exited).code).toBe(0);
    }
    expect(((await redis.server.command("XPENDING", stream, "g")) as unknown[])[0]).toBe(0);
  });
});

describe("a refused connection", () => {
  const redis = useServer();
  const cli = useCli();

  it.each([
    ["streams"],
    ["monitor", "orders", "billing", "--watch"],
    ["consume", "orders", "billing"],
    ["produce", "orders", "n=1"],
    ["dead-letters", "list", "orders", "billing"],
    ["scale", "orders", "billing"],
  ])("is reported in a line, and why, long before the time to connect is over (%s)", async (...words) => {
    // A port on which nobody listens.
    const proxy = await FaultProxy.start(redis.server);
    const { url } = proxy;
    await proxy.stop();
    await using started = await cli.start([...words, "--url", url, "--connect-timeout", "10m"]);
    await eventually("it says so", () => started.stderr.includes("\n"), { timeoutMs: 60_000 });
    expect(started.stderr).toMatch(/^warn: +no connection yet: connect ECONNREFUSED 127\.0\.0\.1:\d+; retrying\n$/);
    expect(started.running).toBe(true);
  });
});

describe("TLS", () => {
  const redis = useServer({ tls: "mutual" });
  const cli = useCli();

  it("speaks it with the certificates it is given, and says what is wrong without", async () => {
    const files = Object.entries(redis.server.options.tls ?? {}).map(([name, content]) => {
      const path = join(cli.folder, name);
      writeFileSync(path, content as Buffer);
      return [`--tls-${name}`, path];
    });
    const url = ["--url", `redis://127.0.0.1:${redis.server.port}`];
    expectEnd(await cli.run(["streams", ...url, ...files.flat()]), 0, "There are no streams.");
    expectEnd(await cli.run(["streams", ...url, "--connect-timeout", "500ms"]), 3);
    expectEnd(await cli.run(["streams", ...url, "--tls-cert", "x"]), 2, "needs its private key");
    expectEnd(await cli.run(["streams", ...url, "--tls-ca", join(cli.folder, "none")]), 2, "cannot be read");
    expect.hasAssertions();
  });
});

describe("Sentinels with TLS", () => {
  const tls = "server";
  const master = useServer({ tls });
  const cli = useCli();

  it("are spoken to by TLS, and so is the master, with one file of certificates", async () => {
    const sentinelConfig = [`sentinel monitor primary 127.0.0.1 ${master.server.port} 1`, "tls-replication yes"];
    await using sentinel = await RedisServer.start({ tls, sentinelConfig });
    const ca = join(cli.folder, "ca");
    writeFileSync(ca, testCertificates().ca);
    const at = `127.0.0.1:${sentinel.port}`;
    const trusting = ["--tls-ca", ca];
    const stream = uniqueName("tls");
    const produce = ["produce", stream, "a=1"];
    expectEnd(await cli.run([...produce, "--url", `rediss+sentinel://${at}/primary`, ...trusting]), 0);
    expectEnd(await cli.run([...produce, "--sentinel", at, "--sentinel-name", "primary", ...trusting]), 0);
    const env = { REDIS_URL: `rediss+sentinel://${at}/primary`, NODE_EXTRA_CA_CERTS: ca };
    expectEnd(await cli.run(["peek", stream], { env }), 0, "a=1");
    const plain = ["--url", `redis+sentinel://${at}/primary`];
    expectEnd(await cli.run([...produce, ...plain]), 3, "the Sentinel", "speaks TLS", "add sentinelTls=true");
    const half = ["--url", `redis+sentinel://${at}/primary?sentinelTls=true`];
    const told = await cli.run([...produce, ...half], { env: { NODE_EXTRA_CA_CERTS: ca } });
    expectEnd(told, 3, `127.0.0.1:${master.server.port} speaks TLS`);
    expect.hasAssertions();
  });
});

describe("Sentinel and Cluster", () => {
  const sentinel = useServers((source) => startSentinel({ source }));
  const cluster = useServers((source) => startCluster({ source, primaries: 2 }));
  const cli = useCli();

  it("finds the master by its Sentinels", async () => {
    const { sentinels, name } = sentinel.servers.options as {
      sentinels: { host: string; port: number }[];
      name: string;
    };
    const address = sentinels.map(({ host, port }) => `${host}:${port}`).join(",");
    const stream = uniqueName("sentinel");
    expect(await cli.json(["produce", stream, "a=1", "--sentinel", address, "--sentinel-name", name])).toMatchObject({
      added: 1,
    });
    expectEnd(await cli.run(["context", "add", "ha", "--sentinel", address, "--sentinel-name", name]), 0);
    expectEnd(await cli.run(["peek", stream]), 0, "a=1");
  });

  it("finds the master by a URL of several Sentinels, of which one answers", async () => {
    const [at] = sentinel.servers.options.sentinels;
    const url = `redis+sentinel://127.0.0.1:1,${at?.host ?? ""}:${at?.port ?? 0}/${sentinel.servers.name}`;
    const stream = uniqueName("sentinel");
    expect(await cli.json(["produce", stream, "a=1", "--url", url])).toMatchObject({ added: 1 });
    expectEnd(await cli.run(["peek", stream], { env: { REDIS_URL: url } }), 0, "a=1");
    expectEnd(await cli.run(["context", "add", "by-url", "--url", url]), 0);
    expectEnd(await cli.run(["peek", stream, "--context", "by-url"]), 0, "a=1");
    const unknown = await cli.run(["streams", "--url", url.replace(/\w+$/, "other").replace("127.0.0.1:1,", "")]);
    expectEnd(unknown, 2, 'knows no master named "other"; it knows: primary', "it comes from the command line");
  });

  it("finds a Cluster by a URL of several nodes, of which one answers", async () => {
    const [node] = cluster.servers.startupNodes;
    const url = `redis+cluster://127.0.0.1:1,${node?.host ?? ""}:${node?.port ?? 0}`;
    const names = ["a", "b", "c", "d"].map((letter) => `${letter}-${uniqueName("url")}`);
    await Promise.all(names.map(async (name) => expectEnd(await cli.run(["produce", name, "a=1", "--url", url]), 0)));
    const { streams } = await cli.json(["streams"], { env: { REDIS_URL: url } });
    expect((streams as { stream: string }[]).map(({ stream }) => stream)).toEqual(expect.arrayContaining(names));
  });

  it.each([
    ["streams"],
    ["doctor"],
    ["doctor", "orders", "billing"],
    ["monitor", "orders", "billing", "--watch"],
    ["consume", "orders", "billing"],
    ["produce", "orders", "n=1"],
    ["dead-letters", "list", "orders", "billing"],
    ["scale", "orders", "billing"],
    ["groups", "orders"],
  ])("says at a node of a Cluster how to connect, at once (%s %s %s)", async (...words) => {
    const [node] = cluster.servers.startupNodes;
    const at = `127.0.0.1:${node?.port ?? 0}`;
    const ended = await cli.run([...words, "--url", `redis://${at}`, "--connect-timeout", "10m"]);
    expectEnd(ended, 2, `${at} is a node of a Redis Cluster`, `connect with redis+cluster://${at}`);
    // `produce` has nothing to report of.
    expect(ended.stdout).not.toContain("added");
  });

  it("finds every stream of a Cluster, and works with each", async () => {
    const [node] = cluster.servers.startupNodes;
    const at = ["--cluster", "--url", `redis://${node?.host ?? ""}:${node?.port ?? 0}`];
    const third = `redis://${node?.host ?? ""}:${node?.port ?? 0}/3`;
    expectEnd(await cli.run(["streams", "--cluster", "--url", third]), 2, "has only database 0");
    expectEnd(await cli.run(["streams", "--url", third]), 2, "the server has no database 3");
    const names = ["a", "b", "c", "d", "e", "f"].map((letter) => `${letter}-${uniqueName("cluster")}`);
    await Promise.all(names.map(async (name) => expectEnd(await cli.run(["produce", name, "a=1", ...at]), 0)));
    const { streams } = await cli.json(["streams", ...at]);
    const found = (streams as { stream: string }[]).map(({ stream }) => stream);
    expect(found.filter((name) => names.includes(name))).toEqual(names);
    const consumed = await cli.run(["consume", names[3] ?? "", "g", "--create", "start", "--count", "1", ...at]);
    expectEnd(consumed, 0, '"a":"1"');
    expectEnd(await cli.run(["group", "delete", names[3] ?? "", "g", "--yes", ...at]), 0, "live consumers");
  });
});
