/** What the dashboard answers over HTTP, and to whom. */
import { readFileSync } from "node:fs";
import { Consumer, Producer } from "@redis-batch/consumer";
import { ConfigError, partitionStreams } from "@redis-batch/core";
import { groupKey } from "@redis-batch/core/internal/names";
import { eventually, sendHostileRequests, uniqueName, useServer } from "@redis-batch/test-support";
import { beforeAll, describe, expect, it } from "vitest";
import { type DashboardEvent, type DashboardServerOptions, startDashboard } from "../src/index.ts";
import { type Asked, ask, groupWithLetter, json } from "./ask.ts";
import { buildPage } from "./build-page.ts";

const redis = useServer();
const TOKEN = "ada-has-a-long-token";
const observer = (): void => {};

beforeAll(buildPage);

const start = (options: Partial<DashboardServerOptions> = {}) =>
  startDashboard({ redis: redis.server.url, port: 0, intervalMs: 500, observer, streams: ["none"], ...options });

const known = (port: number, stream: string, headers: Asked["headers"] = {}) =>
  eventually("the group was looked at", async () => {
    const { status } = await ask(port, `/api/group?stream=${stream}&group=g`, { headers });
    return status === 200;
  });

describe("every answer", () => {
  it.each(["/", "/api/session", "/api/nothing", "/nothing", "/%2e%2e/package.json"])(
    "at %s forbids what a page could be made to do",
    async (path) => {
      await using server = await start();
      const { headers } = await ask(server.port, path);
      const csp = String(headers["content-security-policy"]);
      expect(csp).toContain("default-src 'none'");
      expect(csp).not.toMatch(/unsafe|\*|data:|https?:/);
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
      });
      expect(headers["access-control-allow-origin"]).toBe(undefined);
    },
  );

  it("is refused under a foreign host name, and to another site", async () => {
    const events: DashboardEvent[] = [];
    await using server = await start({ observer: (event) => events.push(event) });
    expect((await ask(server.port, "/", { headers: { host: "evil.example" } })).status).toBe(403);
    expect((await ask(server.port, "/api/live", { headers: { origin: "http://evil.example" } })).status).toBe(403);
    expect((await ask(server.port, "/api/log", { headers: { "sec-fetch-site": "cross-site" } })).status).toBe(403);
    expect(events.filter(({ type }) => type === "refused")).toHaveLength(3);
  });

  it("ends nothing, whatever arrives at the port", async () => {
    await using server = await start();
    await sendHostileRequests(server.port);
    expect((await ask(server.port, "/api/session")).status).toBe(200);
  });
});

describe("the page", () => {
  it("is compressed if the browser accepts it, and has no inline script or style", async () => {
    await using server = await start();
    const zipped = await ask(server.port, "/", { headers: { "accept-encoding": "gzip" } });
    expect(zipped.headers["content-encoding"]).toBe("gzip");
    const { body, headers } = await ask(server.port, "/");
    expect(headers["content-encoding"]).toBe(undefined);
    expect(body).toContain('<div id="app">');
    expect(body).not.toMatch(/<style|<script(?![^>]* src=)| style=| on\w+=/);
    const script = /src="\.\/([^"]+)"/.exec(body)?.[1];
    expect((await ask(server.port, `/${script}`)).headers).toMatchObject({
      ...{
        "content-type": "text/javascript; charset=utf-8",
        "cache-control": expect.stringContaining("immutable") as string,
      },
    });
  });
});

it("answers every request that the README names", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const requests = [...readme.matchAll(/`(GET|POST) (api\/[^`? ]+)/g)].map(([, method = "", path = ""]) => ({
    ...{ method, path: `/${path.replace("<id>", "1")}` },
  }));
  expect(requests.length).toBeGreaterThan(10);
  await using server = await start({ allowActions: true });
  for (const { method, path } of requests.filter((one) => one.path !== "/api/live")) {
    const headers = { origin: `http://127.0.0.1:${server.port}` };
    const { body } = await ask(server.port, path, { method, headers });
    expect([path, body.includes("there is nothing here")]).toEqual([path, false]);
  }
});

describe("signing in", () => {
  const signIn = (port: number, token: string) =>
    ask(port, "/api/session", {
      ...{
        method: "POST",
        body: { token },
        headers: { "content-type": "application/json", origin: `http://127.0.0.1:${port}` },
      },
    });

  it("is asked for where there are tokens; a wrong token and no token see nothing", async () => {
    await using server = await start({ tokens: { ada: TOKEN } });
    for (const path of ["/api/live", "/api/log", "/api/group?stream=a&group=b", "/api/messages?stream=a"]) {
      expect((await ask(server.port, path)).status).toBe(401);
      expect((await ask(server.port, path, { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
      expect(
        (await ask(server.port, path, { headers: { cookie: "redis_batch_session=YWRh.99999999999999.x" } })).status,
      ).toBe(401);
    }
    expect(json(await ask(server.port, "/api/session"))).toMatchObject({ user: null, how: "tokens" });
    expect((await signIn(server.port, "wrong")).status).toBe(401);
  });

  it("gives a cookie that scripts and other sites cannot use", async () => {
    await using server = await start({ tokens: { ada: TOKEN } });
    const { headers } = await signIn(server.port, TOKEN);
    const [cookie = ""] = headers["set-cookie"] ?? [];
    expect(cookie).toMatch(/^redis_batch_session=\S+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(TOKEN);
    const session = await ask(server.port, "/api/session", { headers: { cookie: cookie.split(";", 1)[0] ?? "" } });
    expect(json(session)).toMatchObject({ user: "ada", mayAct: false });
  });

  it("is not done by another site", async () => {
    await using server = await start({ tokens: { ada: TOKEN } });
    const headers = { "content-type": "application/json", origin: "http://evil.example" };
    expect((await ask(server.port, "/api/session", { method: "POST", body: { token: TOKEN }, headers })).status).toBe(
      403,
    );
  });

  it("is left to a proxy where there is a trusted header", async () => {
    await using server = await start({ userHeader: "x-forwarded-user", allowActions: true });
    expect((await ask(server.port, "/api/log")).status).toBe(401);
    const { body } = await ask(server.port, "/api/session", { headers: { "x-forwarded-user": "ada" } });
    expect(JSON.parse(body)).toMatchObject({ user: "ada", mayAct: true });
  });

  it("is needed before the dashboard listens for other machines", async () => {
    await expect(start({ host: "0.0.0.0" })).rejects.toThrow(ConfigError);
    await expect(start({ hosts: ["ops.example.com"] })).rejects.toThrow(/hosts needs tokens/);
    await expect(start({ tokens: { ada: "short" } })).rejects.toThrow(/at least 16 characters/);
    await expect(start({ tokens: { ada: TOKEN, bob: TOKEN } })).rejects.toThrow(/a different token/);
    await expect(start({ tokens: { ada: "short-secret" } })).rejects.not.toThrow(/short-secret/);
  });
});

describe("acting", () => {
  const act = (port: number, path: string, body: object, headers: Asked["headers"] = {}) =>
    ask(port, path, {
      ...{ method: "POST", body },
      headers: { "content-type": "application/json", origin: `http://127.0.0.1:${port}`, ...headers },
    });

  it("is refused unless it is allowed", async () => {
    const stream = await groupWithLetter(redis.server);
    await using server = await start({ streams: [stream] });
    await known(server.port, stream);
    const wish = { action: "discard", stream, group: "g", all: true };
    expect((await act(server.port, "/api/plans", wish)).status).toBe(403);
    expect(await redis.server.command("XLEN", `rb:{${stream}}:dead:${stream}:g`)).toBe(1);
  });

  it("needs a plan, carries out exactly that, once, and logs who did it before and after", async () => {
    const stream = await groupWithLetter(redis.server);
    const events: DashboardEvent[] = [];
    await using server = await start({
      ...{ streams: [stream], allowActions: true, tokens: { ada: TOKEN }, observer: (event) => events.push(event) },
    });
    const headers = { authorization: `Bearer ${TOKEN}` };
    await known(server.port, stream, headers);
    const wish = { action: "discard", stream, group: "g", key: JSON.stringify(["rejected", "no order …"]) };
    const plan = json(await act(server.port, "/api/plans", wish, headers));
    expect(plan).toMatchObject({ letters: 1, state: "planned", reasons: [{ reason: "rejected", letters: 1 }] });
    // What comes after the plan is not part of it.
    const key = `rb:{${stream}}:dead:${stream}:g`;
    const [[, fields]] = (await redis.server.command("XRANGE", key, "-", "+")) as [[string, string[]]];
    await redis.server.command("XADD", key, "*", ...fields);
    const begin = `/api/plans/${String(plan["id"])}/begin`;
    expect((await act(server.port, begin, {}, headers)).status).toBe(200);
    expect((await act(server.port, begin, {}, headers)).status).toBe(409);
    await eventually("it has ended", async () => events.some(({ type }) => type === "acted"));
    expect(events.find(({ type }) => type === "acted")).toMatchObject({
      who: "ada",
      action: "discard",
      done: 1,
      left: 0,
    });
    expect(await redis.server.command("XLEN", key)).toBe(1);
    const log = (await redis.server.command("XRANGE", `rb:{${stream}}:audit:${stream}:g`, "-", "+")) as [
      string,
      string[],
    ][];
    expect(log.map(([, words]) => words.join(" "))).toEqual([
      expect.stringMatching(/action discard what action who ada letters 1 command redis-batch dead-letters discard /),
      expect.stringMatching(/what actionEnded done 1 left 0/),
    ]);
    expect(JSON.stringify([log, events])).not.toContain("hunter-2");
  });

  it("does nothing that cannot be logged", async () => {
    const stream = await groupWithLetter(redis.server);
    await redis.server.command("SET", `rb:{${stream}}:audit:${stream}:g`, "no stream");
    await using server = await start({ streams: [stream], allowActions: true });
    // The log cannot be read either, which is no reason to show nothing.
    await known(server.port, stream);
    const plan = json(await act(server.port, "/api/plans", { action: "discard", stream, group: "g", all: true }));
    expect((await act(server.port, `/api/plans/${String(plan["id"])}/begin`, {})).status).toBe(502);
    expect(await redis.server.command("XLEN", `rb:{${stream}}:dead:${stream}:g`)).toBe(1);
  });

  it.each([
    [{}, "action must be"],
    [{ action: "discard", stream: 1, group: "g", all: true }, "must be names"],
    [{ action: "discard", stream: "s", group: "g" }, "say which dead letters"],
    [{ action: "discard", stream: "s", group: "g", ids: ["x"] }, "say which dead letters"],
    [{ action: "discard", stream: "s", group: "g", all: true, limit: 0 }, "limit must be"],
    [[], "action must be"],
    ["text", "must be a JSON object"],
  ])("is refused with 400 for %j", async (body, says) => {
    await using server = await start({ allowActions: true });
    const answer = await act(server.port, "/api/plans", body as object);
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining(says)]);
  });
});

describe("acting on a group", () => {
  const post = (port: number, body: unknown, headers: Asked["headers"] = {}) =>
    ask(port, "/api/group/act", {
      ...{ method: "POST", body },
      headers: { "content-type": "application/json", origin: `http://127.0.0.1:${port}`, ...headers },
    });
  const tokens = { ada: TOKEN, bob: "bob-has-a-long-token" };
  const as = (token: string) => ({ authorization: `Bearer ${token}` });
  const groupOf = async (port: number, stream: string) =>
    json(await ask(port, `/api/group?stream=${stream}&group=g`, { headers: as(TOKEN) }))["report"] as {
      readonly pause: { readonly by: string; readonly sinceMs: number } | null;
      readonly rateLimit: object | null;
    };

  it("pauses, resumes and limits it as the operator, and logs each with the command that does the same", async () => {
    const stream = await groupWithLetter(redis.server);
    await redis.server.command("XGROUP", "CREATECONSUMER", stream, "g", "foreign");
    const events: DashboardEvent[] = [];
    const observed = { observer: (event: DashboardEvent): void => void events.push(event) };
    await using server = await start({
      streams: [stream],
      allowActions: true,
      tokens,
      operators: ["ada"],
      ...observed,
    });
    await known(server.port, stream, as(TOKEN));
    const of = { stream, group: "g" };
    const pause = { action: "pause", ...of, forMs: 1_800_000, reason: "the database moves", seenSinceMs: null };
    // Who may only look changes nothing, and leaves no trace in the log.
    expect((await post(server.port, pause, as(tokens.bob))).status).toBe(403);
    expect((await post(server.port, pause)).status).toBe(401);
    expect((await post(server.port, pause, { ...as(TOKEN), origin: "http://evil.example" })).status).toBe(403);
    expect(await redis.server.command("EXISTS", `rb:{${stream}}:audit:${stream}:g`)).toBe(0);
    const paused = json(await post(server.port, pause, as(TOKEN)));
    const command = `redis-batch group pause ${stream} g --for 30m --by ada --reason 'the database moves'`;
    expect(paused).toMatchObject({
      ...{ command, error: null },
      pause: { by: "ada", reason: "the database moves", notObeyedBy: ["foreign"] },
    });
    await eventually("it is shown", async () => (await groupOf(server.port, stream)).pause?.by === "ada");
    const seenSinceMs = (await groupOf(server.port, stream)).pause?.sinceMs;
    expect((await post(server.port, { action: "resume", ...of, seenSinceMs }, as(TOKEN))).status).toBe(200);
    const limit = { messages: 600, perMs: 60_000 };
    expect(json(await post(server.port, { action: "rate", ...of, limit }, as(TOKEN)))).toMatchObject({
      rateLimit: limit,
    });
    await eventually("they are shown", async () => {
      const { pause: now, rateLimit } = await groupOf(server.port, stream);
      return now === null && rateLimit !== null;
    });
    expect((await post(server.port, { action: "rate", ...of, limit: null }, as(TOKEN))).status).toBe(200);
    const { actions } = json(await ask(server.port, "/api/log", { headers: as(TOKEN) }));
    const done = { who: "ada", letters: null, outcome: { done: 1, left: 0, error: "" } };
    expect(actions).toMatchObject([
      { ...done, action: "rate", command: `redis-batch group rate ${stream} g --off` },
      { ...done, action: "rate", command: `redis-batch group rate ${stream} g --messages 600 --per 1m` },
      { ...done, action: "resume", command: `redis-batch group resume ${stream} g` },
      { ...done, action: "pause", command },
    ]);
    expect(events.filter(({ type }) => type === "groupActed")).toHaveLength(4);
  });

  it("undoes nothing that somebody else has done meanwhile, and says who it was", async () => {
    const stream = await groupWithLetter(redis.server);
    await using server = await start({ streams: [stream], allowActions: true, tokens });
    await known(server.port, stream, as(TOKEN));
    const of = { stream, group: "g", seenSinceMs: null };
    const pause = { action: "pause", ...of, forMs: null, reason: "mine" };
    const both = await Promise.all([post(server.port, pause, as(TOKEN)), post(server.port, pause, as(tokens.bob))]);
    // Only a few milliseconds are between the look and the act: the second may replace the first, never unlogged.
    expect(both.every(({ status }) => status === 200 || status === 409)).toBe(true);
    const late = await post(server.port, { ...pause, forMs: 1_000, reason: "other" }, as(tokens.bob));
    expect([late.status, late.body]).toEqual([409, expect.stringMatching(/paused by (ada|bob) \(mine\) meanwhile/)]);
    const { pause: now } = json(await post(server.port, { ...pause, forMs: 1_000, seenSinceMs: undefined }, as(TOKEN)));
    const { sinceMs, untilMs } = now as { readonly sinceMs: number; readonly untilMs: number };
    await eventually(
      "it is over",
      async () => Number(((await redis.server.command("TIME")) as string[])[0]) * 1_000 > untilMs,
    );
    const over = await post(server.port, { action: "resume", ...of, seenSinceMs: sinceMs }, as(TOKEN));
    expect([over.status, over.body]).toEqual([409, expect.stringContaining("the pause that you saw is over")]);
  });

  it("does nothing with a group that is gone, and leaves no key beside it", async () => {
    const stream = await groupWithLetter(redis.server);
    await using server = await start({ streams: [stream], allowActions: true, intervalMs: 60_000 });
    await known(server.port, stream);
    await redis.server.command("DEL", stream);
    const pause = { action: "pause", stream, group: "g", forMs: null, reason: null };
    for (const act of [pause, { ...pause, action: "resume" }, { ...pause, action: "rate", limit: null }]) {
      expect((await post(server.port, act)).status).toBe(404);
    }
    expect(await redis.server.command("KEYS", `rb:{${stream}}:[ac]*`)).toEqual([]);
  });

  it("does nothing that cannot be logged", async () => {
    const stream = await groupWithLetter(redis.server);
    await redis.server.command("SET", `rb:{${stream}}:audit:${stream}:g`, "no stream");
    await using server = await start({ streams: [stream], allowActions: true });
    await known(server.port, stream);
    const pause = { action: "pause", stream, group: "g", forMs: null, reason: null };
    expect((await post(server.port, pause)).status).toBe(502);
    expect(await redis.server.command("EXISTS", `rb:{${stream}}:consumers:${stream}:g`)).toBe(0);
  });

  it("pauses all of a stream with partitions, which has no rate", async () => {
    const stream = uniqueName("parted");
    await using producer = new Producer({ redis: redis.server.options, stream, partitions: 2, observer });
    await producer.add({ n: 1 }, { key: "a" });
    for (const part of partitionStreams(stream, 2)) {
      await redis.server.command("XGROUP", "CREATE", part, "g", "0", "MKSTREAM");
    }
    await using server = await start({ streams: [stream], allowActions: true });
    await known(server.port, stream);
    const pause = { action: "pause", stream, group: "g", forMs: null, reason: null, seenSinceMs: null };
    expect(json(await post(server.port, pause))).toMatchObject({ pause: { by: "anyone on this machine" } });
    for (const part of partitionStreams(stream, 2)) {
      expect(await redis.server.command("HEXISTS", groupKey("consumers", part, "g"), "rb:pause")).toBe(1);
    }
    const rate = { action: "rate", stream, group: "g", limit: null };
    expect((await post(server.port, rate)).body).toContain("a stream with partitions has no rate");
  });

  it.each([
    [{}, "stream and group must be names"],
    [{ action: "stop" }, "action must be pause"],
    [{ action: "pause", forMs: 1, reason: null }, "forMs must be"],
    [{ action: "pause", forMs: null }, "reason must be"],
    [{ action: "pause", forMs: null, reason: "x".repeat(501) }, "reason must be"],
    [{ action: "resume", seenSinceMs: "x" }, "seenSinceMs must be"],
    [{ action: "rate" }, "limit must be null"],
    [{ action: "rate", limit: { messages: 0, perMs: 1 } }, "limit must be null"],
    [{ action: "rate", limit: { messages: 1, perMs: 1e12 } }, "perMs of limit"],
  ])("is refused with 400 for %j", async (body, says) => {
    await using server = await start({ allowActions: true });
    const named = Object.keys(body).length === 0 ? body : { stream: "s", group: "g", ...body };
    const answer = await post(server.port, named);
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining(says)]);
  });
});

describe("what can be read", () => {
  it("is only what is shown, and masked fields leave the server in no answer", async () => {
    const [stream, other] = [await groupWithLetter(redis.server), await groupWithLetter(redis.server)];
    await using server = await start({ streams: [stream], mask: ["PASSWORD"] });
    await known(server.port, stream);
    for (const path of [
      "/api/group",
      "/api/letters",
      "/api/letters/groups",
      "/api/pending",
      "/api/messages",
      "/api/scaler",
    ]) {
      expect((await ask(server.port, `${path}?stream=${other}&group=g`)).status).toBe(404);
      const shown = await ask(server.port, `${path}?stream=${stream}&group=g&field=password&value=hunter`);
      expect(shown.status).toBe(200);
      expect(shown.body).not.toContain("hunter");
    }
    // A search would find out hidden values one letter after the other.
    expect(json(await ask(server.port, `/api/messages?stream=${stream}&field=password&value=h`))).toMatchObject({
      messages: [],
    });
    expect(json(await ask(server.port, `/api/messages?stream=${stream}&field=order&value=A-17`))).toMatchObject({
      messages: [{}],
    });
  });

  it("is what the group reads next, by a command that prints the same", async () => {
    const stream = await groupWithLetter(redis.server);
    await using server = await start({ streams: [stream] });
    await known(server.port, stream);
    const next = `/api/messages?stream=${stream}&group=g&order=next`;
    expect(json(await ask(server.port, next))).toMatchObject({ messages: [] });
    const id = String(await redis.server.command("XADD", stream, "*", "order", "A-18"));
    expect(json(await ask(server.port, next))).toMatchObject({
      messages: [{ id }],
      command: `redis-batch peek ${stream} g -n 50 --json`,
    });
    await redis.server.command("XREADGROUP", "GROUP", "g", "c", "STREAMS", stream, ">");
    expect(json(await ask(server.port, next))).toMatchObject({ messages: [] });
    expect((await ask(server.port, `/api/messages?stream=${stream}&group=g&order=last`)).status).toBe(400);
  });

  it("is what is wrong with each group, as the doctor of the command line says it", async () => {
    const stream = await groupWithLetter(redis.server);
    await redis.server.command("XADD", stream, "*", "order", "A-18");
    await using server = await start({ streams: [stream] });
    await known(server.port, stream);
    const { findings } = json(await ask(server.port, "/api/doctor"));
    const area = `${stream}, group g`;
    expect(findings).toEqual(
      expect.arrayContaining([
        { area, severity: "warning", finding: "1 dead letter", fix: `redis-batch dead-letters list ${stream} g` },
        expect.objectContaining({ area: "rights", severity: "ok" }),
      ]),
    );
  });

  it("is one stream where it has partitions, and each partition, for what only that can show", async () => {
    const where = { redis: redis.server.options, stream: uniqueName("parted"), partitions: 3, observer };
    await using producer = new Producer(where);
    const name = "ada";
    const consumer = new Consumer({ ...where, group: "g", name, maxWaitMs: 10, batchSize: 5, rebalanceGraceMs: 0 });
    const ending = new AbortController();
    const running = consumer.run((batch) => batch.messages.forEach((message) => message.deadLetter("broken")), {
      signal: ending.signal,
    });
    for (let n = 0; n < 30; n++) await producer.add({ n }, { key: `k${n}` });
    await using server = await start({ streams: undefined, allowActions: true });
    const rowsOf = (data: unknown) =>
      data as { readonly partition: number; readonly stream: string; readonly deadLetters: number }[];
    let seen: Record<string, unknown> = {};
    await eventually("all are dead letters", async () => {
      const answer = await ask(server.port, `/api/group?stream=${where.stream}&group=g`);
      seen = answer.status === 200 ? json(answer) : {};
      return (seen["report"] as { readonly deadLetters?: number } | undefined)?.deadLetters === 30;
    });
    expect(seen).toMatchObject({ length: 30, partOf: null, report: { consumers: [{ consumer: "ada" }] } });
    const parts = partitionStreams(where.stream, 3);
    expect(rowsOf(seen["partitions"]).map(({ partition, stream }) => [partition, stream])).toEqual([
      ...parts.entries(),
    ]);
    const [part = ""] = parts;
    const one = json(await ask(server.port, `/api/group?stream=${part}&group=g`));
    expect(one).toMatchObject({ partOf: where.stream, partitions: null });
    const letters = json(await ask(server.port, `/api/letters?stream=${part}&group=g`))["letters"];
    expect(letters).toHaveLength(rowsOf(seen["partitions"])[0]?.deadLetters ?? -1);
    // Dead letters are those of all partitions, the newest first, page by page.
    const group = `stream=${where.stream}&group=g`;
    const groups = json(await ask(server.port, `/api/letters/groups?${group}`));
    expect(groups).toMatchObject({ total: 30, examined: 30, groups: [{ letters: 30, error: "broken" }] });
    const ids: string[] = [];
    for (let next: string | null = null; ids.length < 30; ) {
      const before: string = next === null ? "" : `&before=${next}`;
      const page = json(await ask(server.port, `/api/letters?${group}&limit=7${before}`));
      const some = page["letters"] as { readonly id: string; readonly atMs: number }[];
      ids.push(...some.map(({ id }) => id));
      expect(some.length).toBe(Math.min(7, 30 - ids.length + some.length));
      next = page["next"] as string | null;
    }
    expect(new Set(ids).size).toBe(30);
    expect(new Set(ids.map((id) => id.split("/", 1)[0]))).toEqual(new Set(["0", "1", "2"]));
    const times = ids.map((id) => Number(id.replace(/^.*\/|-.*$/g, "")));
    expect(times).toEqual(times.toSorted((left, right) => right - left));
    const post = (path: string, body: object) =>
      ask(server.port, path, {
        ...{ method: "POST", body },
        headers: { "content-type": "application/json", origin: `http://127.0.0.1:${server.port}` },
      });
    const chosen = { action: "discard", stream: where.stream, group: "g", ids: ids.slice(0, 3) };
    const plan = json(await post("/api/plans", chosen));
    expect(plan).toMatchObject({ letters: 3, command: expect.stringContaining(` ${ids[0]}`) as string });
    await post(`/api/plans/${String(plan["id"])}/begin`, {});
    await eventually("they are discarded, each in its partition", async () => {
      const rest = json(await ask(server.port, `/api/letters?${group}&limit=100`))["letters"] as { id: string }[];
      return rest.map(({ id }) => id).join() === ids.slice(3).join();
    });
    // Nothing is read of a stream beside them, which would look empty.
    for (const view of ["messages", "pending"]) {
      const { status, body } = await ask(server.port, `/api/${view}?stream=${where.stream}&group=g`);
      expect([view, status, body]).toEqual([view, 409, expect.stringContaining(part)]);
    }
    // In the overview it is one row.
    const { body } = await fetch(`${server.url}api/live`, { signal: ending.signal });
    const news = await eventsOf(body as ReadableStream<Uint8Array>).next();
    const { rows } = JSON.parse(news.value as string) as { readonly rows: readonly { readonly stream: string }[] };
    const shown = rows.map(({ stream }) => stream).filter((stream) => stream.startsWith(where.stream));
    expect(shown).toEqual([where.stream]);
    ending.abort();
    await running;
  });

  it("is the same for names that are no text", async () => {
    const stream = Buffer.concat([Buffer.from(uniqueName("bytes")), Buffer.from([0xff, 0x22, 0x0a])]);
    await redis.server.command("XADD", stream, "*", "a", "1");
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    const name = stream.toString("latin1").replace("\u00ff", "\udcff");
    await using server = await start({ streams: [name] });
    const address = encodeURIComponent(JSON.stringify(name).slice(1, -1));
    await known(server.port, address);
    expect(json(await ask(server.port, `/api/group?stream=${address}&group=g`))).toMatchObject({
      stream: name,
      length: 1,
    });
  });
});

describe("live", () => {
  it("gives no place to a request that reads nothing", async () => {
    await using server = await start({});
    for (let requests = 0; requests < 250; requests++) {
      expect((await fetch(`${server.url}api/live`, { method: "HEAD" })).status).toBe(200);
    }
    const ending = new AbortController();
    const { status, body } = await fetch(`${server.url}api/live`, { signal: ending.signal });
    expect(status).toBe(200);
    const news = await eventsOf(body as ReadableStream<Uint8Array>).next();
    expect(JSON.parse(news.value as string)).toHaveProperty("rows");
    ending.abort();
  });

  it("tells all of it first, then what has changed, and one look serves everybody", async () => {
    const stream = await groupWithLetter(redis.server);
    const looks: DashboardEvent[] = [];
    await using server = await start({
      streams: [stream],
      observer: (event) => event.type === "looked" && looks.push(event),
    });
    await known(server.port, stream);
    const ending = new AbortController();
    const open = async (): Promise<AsyncIterator<string>> => {
      const { body } = await fetch(`${server.url}api/live`, { signal: ending.signal });
      return eventsOf(body as ReadableStream<Uint8Array>);
    };
    const watching = await Promise.all(Array.from({ length: 5 }, open));
    const first = await Promise.all(
      watching.map(async (one) => JSON.parse((await one.next()).value as string) as object),
    );
    for (const news of first)
      expect(news).toMatchObject({ rows: [{ stream, group: "g", deadLetters: 1 }], sparks: [{ stream }] });
    const before = looks.length;
    await redis.server.command("XADD", stream, "*", "a", "1");
    const next = await Promise.all(watching.map(untilWaiting));
    expect(next).toEqual([1, 1, 1, 1, 1]);
    expect(looks.length - before).toBeLessThan(5);
    ending.abort();
  });
});

/** Reads on until a row says that a message waits → how many. */
async function untilWaiting(news: AsyncIterator<string>): Promise<unknown> {
  for (;;) {
    const { rows } = JSON.parse((await news.next()).value as string) as {
      readonly rows: readonly { readonly waiting: unknown }[];
    };
    if (rows[0] !== undefined && rows[0].waiting !== 0) return rows[0].waiting;
  }
}

/** The data of each event. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const events = (rest + chunk).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) yield data;
    }
  }
}
