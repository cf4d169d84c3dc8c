/** What a scaler wants, over real HTTP. */
import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { ConfigError, nameOfBytes } from "@redis-batch/core";
import { EventRecorder, ManualClock, sendHostileRequests, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { type BoardOptions, ScaleBoard, Scaler, type ScalerEvent, startScaleServer } from "../src/index.ts";
import { scaleOut } from "./decision-samples.ts";

const redis = useServer();
const where = { stream: "orders", group: "billing" };

async function ask(url: string, headers: Record<string, string> = {}) {
  const asked = request(url, { headers }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const answer: { status: number | undefined; headers: IncomingHttpHeaders; body: string } = {
    ...{ status: response.statusCode, headers: response.headers, body: await text(response) },
  };
  return answer;
}

describe("a board", () => {
  it("shows as Prometheus reads it what was decided last, and nothing before", () => {
    const board = new ScaleBoard({ stream: 'or"ders\n', group: nameOfBytes(Buffer.from([0xff])) });
    expect(board.toPrometheus()).toBe("");
    expect(board.toJSON()).toBeNull();
    board.onDecision(scaleOut());
    expect(board.toPrometheus().split("\n")).toEqual([
      "# HELP redis_batch_desired_consumers Wanted number of consumers of the group",
      "# TYPE redis_batch_desired_consumers gauge",
      'redis_batch_desired_consumers{stream="or\\"ders\\n",group="\\\\xff"} 3',
      "# HELP redis_batch_current_consumers Current number of consumers of the group, or the number that was ordered",
      "# TYPE redis_batch_current_consumers gauge",
      'redis_batch_current_consumers{stream="or\\"ders\\n",group="\\\\xff"} 2',
      "",
    ]);
    expect(board.toPrometheus({ format: "openmetrics" })).toMatch(/\n# EOF\n$/);
  });

  it("takes down what does not hold any longer", async () => {
    const clock = new ManualClock();
    const board = new ScaleBoard(where, () => clock.nowMs());
    board.onDecision(scaleOut());
    await clock.advance(60_000);
    expect(board.decision).not.toBeNull();
    await clock.advance(1);
    expect([board.decision, board.toJSON(), board.toPrometheus()]).toEqual([null, null, ""]);
  });

  it("names every problem of its options", () => {
    const make = (): ScaleBoard => new ScaleBoard({ stream: "", staleMs: 1 } as unknown as BoardOptions);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(/stream[\s\S]*group[\s\S]*staleMs/);
  });
});

describe("the scale server", () => {
  it("answers what KEDA's metrics-api scaler and Prometheus ask; 503 while there is nothing to say", async () => {
    const board = new ScaleBoard(where);
    await using server = await startScaleServer({ board, port: 0 });
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    for (const path of ["/scale", "/metrics", "/readyz"]) {
      expect((await ask(`${server.url}${path}`)).status).toBe(503);
    }
    expect((await ask(`${server.url}/healthz`)).status).toBe(200);
    const decision = scaleOut();
    board.onDecision(decision);
    const scale = await ask(`${server.url}/scale`);
    expect(scale).toMatchObject({ status: 200, headers: { "content-type": "application/json" } });
    const { direction, reason, binding } = decision;
    expect(JSON.parse(scale.body)).toEqual({ v: 1, ...where, desired: 3, current: 2, direction, reason, binding });
    const metrics = await ask(`${server.url}/metrics`);
    expect(metrics.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(metrics.body).toContain('redis_batch_desired_consumers{stream="orders",group="billing"} 3\n');
    const openmetrics = await ask(`${server.url}/metrics`, { accept: "application/openmetrics-text" });
    expect(openmetrics.headers["content-type"]).toContain("openmetrics");
    expect((await ask(`${server.url}/readyz`)).status).toBe(200);
    expect(await ask(`${server.url}/`)).toMatchObject({
      ...{ status: 404, body: "the paths are /scale, /metrics, /healthz and /readyz\n" },
    });
  });

  it("is ended by nothing that arrives at its port", async () => {
    await using server = await startScaleServer({ board: new ScaleBoard(where), port: 0 });
    await sendHostileRequests(server.port);
    expect((await ask(`${server.url}/healthz`)).status).toBe(200);
  });

  it("lets nobody see who has not the token, and everybody probe", async () => {
    const board = new ScaleBoard(where);
    board.onDecision(scaleOut());
    await using server = await startScaleServer({ board, port: 0, token: "t0ken" });
    for (const path of ["/scale", "/metrics"]) {
      expect((await ask(`${server.url}${path}`)).status).toBe(401);
      expect((await ask(`${server.url}${path}`, { authorization: "Bearer t0kem" })).status).toBe(401);
      expect((await ask(`${server.url}${path}`, { authorization: "Bearer t0ken" })).status).toBe(200);
    }
    expect((await ask(`${server.url}/readyz`)).status).toBe(200);
  });

  it("shows what a scaler decides, and on one that follows what its leader does", async () => {
    const stream = uniqueName("stream");
    await redis.server.command("XGROUP", "CREATE", stream, "group", 0, "MKSTREAM");
    await redis.server.command("XADD", stream, "*", "n", 1);
    const open = () => {
      const events = new EventRecorder<ScalerEvent>();
      const board = new ScaleBoard({ stream, group: "group" });
      const options = { strategy: "ratio", maxConsumers: 3, observer: events.observe } as const;
      const scaler = new Scaler({ redis: redis.server.options, stream, group: "group", ...options });
      return { events, board, scaler };
    };
    const [first, second] = [open(), open()];
    const runs = [first.scaler.run({ intervalMs: 100, executor: first.board })];
    await expect.poll(() => first.board.decision?.desired).toBe(3);
    runs.push(second.scaler.run({ intervalMs: 100, executor: second.board }));
    await second.events.waitFor("following");
    await expect.poll(() => second.board.decision?.desired).toBe(3);
    expect(second.events.all("decided")).toEqual([]);
    await Promise.all([first.scaler.close(), second.scaler.close()]);
    await Promise.all(runs);
  });

  it("names every problem of its options, and no token", async () => {
    const wrong = { board: 1, port: 70_000, token: "with space" } as unknown as Parameters<typeof startScaleServer>[0];
    const error: unknown = await startScaleServer(wrong).catch((reason: unknown) => reason);
    expect(ConfigError.is(error) && error.problems).toEqual([
      "board must be a ScaleBoard",
      "token must be printable ASCII without spaces",
      "port must be a whole number from 0 to 65535, got 70000",
    ]);
  });
});
