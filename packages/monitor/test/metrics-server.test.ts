/** The metrics server over real HTTP. */
import { once } from "node:events";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { ConfigError } from "@redis-batch/core";
import { deferred, eventually, sendHostileRequests } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { type MetricsServer, type MetricsServerOptions, type Reports, startMetricsServer } from "../src/index.ts";
import { parseExposition } from "./exposition.ts";
import { monitorReport } from "./report-samples.ts";

const PATHS = ["/metrics", "/healthz", "/readyz"] as const;
const SECRET = "s3cret-of-the-source";

const start = (options: Partial<MetricsServerOptions> = {}): Promise<MetricsServer> =>
  startMetricsServer({ source: () => monitorReport(), port: 0, ...options });

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function ask(
  server: MetricsServer,
  path: string,
  { method = "GET", headers = {}, agent }: { method?: string; headers?: Record<string, string>; agent?: Agent } = {},
): Promise<Answer> {
  const asked = request(server.url, { method, path, headers, ...(agent && { agent }) }).end();
  const [response] = (await once(asked, "response")) as [import("node:http").IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

it("is ended by nothing that arrives at its port", async () => {
  await using server = await start();
  await sendHostileRequests(server.port);
  expect((await ask(server, "/healthz")).status).toBe(200);
});

describe("/metrics", () => {
  it("serves the report as text, and as OpenMetrics on request", async () => {
    await using server = await start();
    const plain = await ask(server, "/metrics?from=a-query");
    expect(plain.status).toBe(200);
    expect(plain.headers).toMatchObject({
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
      "cache-control": "no-store",
    });
    expect(parseExposition(plain.body, "text").length).toBeGreaterThan(10);
    const openmetrics = await ask(server, "/metrics", { headers: { accept: "application/openmetrics-text" } });
    expect(openmetrics.headers["content-type"]).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(parseExposition(openmetrics.body, "openmetrics").length).toBeGreaterThan(10);
  });

  it("leaves the series per consumer out on request", async () => {
    await using server = await start({ perConsumer: false });
    expect((await ask(server, "/metrics")).body).not.toContain("worker-1");
  });

  it("is unavailable while there is no report, and says no zeros", async () => {
    await using server = await start({ source: () => null });
    expect(await ask(server, "/metrics")).toMatchObject({ status: 503, body: "there is no report yet\n" });
  });

  it("shares one look between those who ask meanwhile", async () => {
    const report = deferred<Reports>();
    const probed = deferred<void>();
    let looks = 0;
    await using server = await start({
      health() {
        probed.resolve();
        return { live: true, ready: true };
      },
      source: () => {
        looks++;
        return report.promise;
      },
    });
    const first = ask(server, "/metrics");
    await eventually("the look", () => looks === 1);
    // Requests of one connection are taken up in turn: when the probe is, so is what came before it.
    const socket = connect(server.port, "127.0.0.1");
    const lines = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n${more}\r\n`;
    socket.write(lines("/metrics") + lines("/healthz", "connection: close\r\n"));
    await probed.promise;
    report.resolve(monitorReport());
    expect((await first).status).toBe(200);
    expect((await text(socket)).match(/^HTTP\/1.1 200 /gm)).toHaveLength(2);
    expect(looks).toBe(1);
    await ask(server, "/metrics");
    expect(looks).toBe(2);
  });

  it("tells its owner why it failed, and the client only that it did", async () => {
    const errors: unknown[] = [];
    let fails = true;
    await using server = await start({
      source: () => {
        if (fails) throw new Error(SECRET);
        return monitorReport();
      },
      onError(error) {
        errors.push(error);
        throw new Error("so does the listener");
      },
    });
    const answer = await ask(server, "/metrics");
    expect(answer).toMatchObject({ status: 503, body: "unavailable\n" });
    expect(JSON.stringify(answer)).not.toContain(SECRET);
    expect(errors.map(String)).toEqual([`Error: ${SECRET}`]);
    fails = false;
    expect((await ask(server, "/metrics")).status).toBe(200);
  });

  it("does not wait for a source that hangs", async () => {
    const errors: unknown[] = [];
    const never = deferred<Reports>();
    const sources = [() => never.promise, () => monitorReport()];
    await using server = await start({
      source: () => sources.shift()?.() ?? null,
      timeoutMs: 100,
      onError: (error) => errors.push(error),
    });
    expect((await ask(server, "/metrics")).status).toBe(503);
    expect(errors.map(String)).toEqual(["Error: the source returned no report within 100 ms"]);
    expect((await ask(server, "/metrics")).status).toBe(200);
    never.resolve(null);
  });
});

describe("the token", () => {
  it.each([
    [{}, 401],
    [{ authorization: "Bearer " }, 401],
    [{ authorization: "Bearer wrong" }, 401],
    [{ authorization: "Bearer token-1 and more" }, 401],
    [{ authorization: "Basic token-1" }, 401],
    [{ authorization: `Bearer ${"x".repeat(4_000)}` }, 401],
    [{ authorization: "Bearer token-1" }, 200],
    [{ authorization: "bearer  token-1" }, 200],
  ] satisfies [Record<string, string>, number][])("with %j: %s", async (headers, status) => {
    await using server = await start({ token: "token-1" });
    const answer = await ask(server, "/metrics", { headers });
    expect(answer.status).toBe(status);
    expect(answer.headers["www-authenticate"]).toBe(status === 401 ? "Bearer" : undefined);
    expect(answer.body.includes("orders")).toBe(status === 200);
    expect(JSON.stringify(answer)).not.toContain("token-1");
  });

  it("is not asked for by the probes", async () => {
    await using server = await start({ token: "token-1" });
    expect((await ask(server, "/healthz")).status).toBe(200);
    expect((await ask(server, "/readyz")).status).toBe(200);
  });
});

describe("the probes", () => {
  it("say what the health says", async () => {
    let health = { live: true, ready: false };
    await using server = await start({ health: () => health });
    expect(await ask(server, "/healthz")).toMatchObject({ status: 200, body: "live\n" });
    expect(await ask(server, "/readyz")).toMatchObject({ status: 503, body: "not ready\n" });
    health = { live: false, ready: true };
    expect(await ask(server, "/healthz")).toMatchObject({ status: 503, body: "not live\n" });
    expect(await ask(server, "/readyz")).toMatchObject({ status: 200, body: "ready\n" });
  });

  it("are live without a report, and ready with one", async () => {
    let report: Reports = null;
    await using server = await start({ source: () => report });
    expect((await ask(server, "/healthz")).status).toBe(200);
    expect((await ask(server, "/readyz")).status).toBe(503);
    report = monitorReport();
    expect((await ask(server, "/readyz")).status).toBe(200);
  });
});

describe("the server", () => {
  it.each(PATHS)("answers HEAD %s as it answers GET, without the body", async (path) => {
    await using server = await start();
    const [get, head] = [await ask(server, path), await ask(server, path, { method: "HEAD" })];
    const { date: _, ...headers } = get.headers;
    expect(head).toMatchObject({ status: 200, body: "", headers });
    expect(Number(head.headers["content-length"])).toBe(get.body.length);
  });

  it.each(PATHS)("refuses other methods on %s", async (path) => {
    await using server = await start();
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const answer = await ask(server, path, { method });
      expect({ method, status: answer.status }).toEqual({ method, status: 405 });
      expect(answer.headers["allow"]).toBe("GET, HEAD");
    }
  });

  it.each(["/", "/metrics/", "//", "/%00", "/constructor", "/__proto__", "http://elsewhere/metrics", "*"])(
    "has nothing at %s",
    async (path) => {
      await using server = await start();
      expect((await ask(server, path)).status).toBe(404);
    },
  );

  it("says nothing of what it is made of", async () => {
    await using server = await start();
    const { headers } = await ask(server, "/metrics");
    expect(Object.keys(headers)).not.toContain("server");
    expect(Object.keys(headers)).not.toContain("x-powered-by");
  });

  it("answers garbage with an error and goes on", async () => {
    await using server = await start();
    const socket = connect(server.port, "127.0.0.1");
    socket.write("NOT HTTP AT ALL\r\n\r\n");
    expect(await text(socket)).toMatch(/^HTTP\/1.1 400 /);
    expect((await ask(server, "/healthz")).status).toBe(200);
  });

  it("listens on this machine only, unless told otherwise", async () => {
    await using server = await start();
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    await using open = await start({ host: "0.0.0.0" });
    expect(open.url).toBe(`http://0.0.0.0:${open.port}`);
  });

  it("closes while clients hold their connections open, as often as it is asked to", async () => {
    const agent = new Agent({ keepAlive: true });
    const server = await start();
    await ask(server, "/metrics", { agent });
    const silent = connect(server.port, "127.0.0.1");
    await once(silent, "connect");
    await Promise.all([server.close(), server.close()]);
    await server[Symbol.asyncDispose]();
    silent.destroy();
    agent.destroy();
    await expect(ask(server, "/metrics")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("lets a request that is under way end when it closes", async () => {
    const report = deferred<Reports>();
    const asked = deferred<void>();
    const server = await start({
      source: () => {
        asked.resolve();
        return report.promise;
      },
    });
    const answer = ask(server, "/metrics", { agent: new Agent({ keepAlive: true }) });
    await asked.promise;
    const closed = server.close();
    report.resolve(monitorReport());
    expect(await answer).toMatchObject({ status: 200, headers: { connection: "close" } });
    await closed;
  });

  it("says when its port is taken", async () => {
    await using server = await start();
    await expect(start({ port: server.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("names every problem of its options, and no token", async () => {
    const wrong = { source: 1, port: 70_000, token: "with space", hots: "x", onError: 3, timeoutMs: 1 };
    const error = await startMetricsServer(wrong as unknown as MetricsServerOptions).catch((reason: unknown) => reason);
    expect(ConfigError.is(error) && error.problems).toEqual([
      'unknown option "hots", did you mean "host"?',
      "source must be a function that returns a report",
      "onError must be a function",
      "token must be printable ASCII without spaces",
      "port must be a whole number from 0 to 65535, got 70000",
      "timeoutMs must be a whole number from 100 to 600000, got 1",
    ]);
  });
});
