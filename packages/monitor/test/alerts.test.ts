/** The alerts against a real receiver of webhooks. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { ConfigError, UsageError } from "@redis-batch/core";
import { deferred, EventRecorder, eventually, ManualClock, useServer } from "@redis-batch/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  type AlertNotice,
  Alerts,
  type AlertsEvent,
  type AlertsOptions,
  type GroupHealth,
  type MonitorReport,
  verifyAlertSignature,
} from "../src/index.ts";
import { groupReport, monitorReport } from "./report-samples.ts";

const SECRET = "the secret of the receiver";
const at = { fireAfterPasses: 1, resolveAfterPasses: 1, retryBaseMs: 10, retryCapMs: 20 } as const;

interface Received {
  readonly request: IncomingMessage;
  readonly body: string;
  readonly notice: AlertNotice;
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void;
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(code, headers).end("so be it");

/** A receiver that answers as told, the last way for ever; requests are kept once their body has been read. */
async function receive(...answers: Answer[]) {
  const received: Received[] = [];
  const server = createServer();
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const answerOnceRead = async (): Promise<void> => {
      const body = await text(request);
      received.push({ request, body, notice: JSON.parse(body) as AlertNotice });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      (answer ?? status(204))(response, request);
    };
    void answerOnceRead();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  return { received, port, url: `http://127.0.0.1:${port}/hook`, origin: `http://127.0.0.1:${port}` };
}

function start(options: AlertsOptions, edge?: ConstructorParameters<typeof Alerts>[1]) {
  const events = new EventRecorder<AlertsEvent>();
  const all = { ...at, observer: events.observe, ...options };
  const alerts = edge === undefined ? new Alerts(all) : new Alerts(all, edge);
  onTestFinished(() => alerts.close());
  return { alerts, events };
}

const report = (health: GroupHealth, group = "billing"): MonitorReport =>
  monitorReport({ groups: [groupReport({ group, health, consumers: [] })] });

describe("a webhook", () => {
  it("gets what the callback gets, once, as signed JSON", async () => {
    const { received, url } = await receive();
    const { alerts, events } = start({
      webhookUrl: `${url}?token=abc`,
      webhookSecret: SECRET,
      webhookHeaders: { authorization: "Bearer of-the-receiver", "content-type": "text/plain" },
    });
    alerts.observe(report("STALLED"));
    alerts.observe(report("STALLED"));
    await events.waitFor("delivered");
    expect(received).toHaveLength(1);
    const [{ request, body, notice }] = received as [Received];
    expect({ type: "notice", notice }).toEqual(events.all("notice")[0]);
    expect(notice).toMatchObject({ v: 1, kind: "firing", stream: "orders", group: "billing", to: "STALLED" });
    expect(request).toMatchObject({ method: "POST", url: "/hook?token=abc" });
    expect(request.headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": "redis-batch-monitor",
      authorization: "Bearer of-the-receiver",
      "redis-batch-notice": notice.id,
    });
    const signature = request.headers["redis-batch-signature"] as string;
    expect(verifyAlertSignature({ body, signature, secret: SECRET })).toBe(true);
    expect(verifyAlertSignature({ body: body.replace("STALLED", "STOPPED"), signature, secret: SECRET })).toBe(false);
    expect(verifyAlertSignature({ body, signature, secret: `${SECRET}!` })).toBe(false);
  });

  it("is signed only with a secret, and sent a user and password as such", async () => {
    const { received, url } = await receive();
    const { alerts, events } = start({ webhookUrl: url.replace("http://", "http://me:p%40ss@") });
    alerts.observe(report("STALLED"));
    await events.waitFor("delivered");
    expect(received[0]?.request.headers["redis-batch-signature"]).toBeUndefined();
    expect(received[0]?.request.headers.authorization).toBe(`Basic ${Buffer.from("me:p@ss").toString("base64")}`);
  });

  it("gets the notices in their order, the next one only after the one before was delivered or given up", async () => {
    const { received, url } = await receive(status(500), status(200), status(404), status(200));
    const { alerts, events } = start({ webhookUrl: url });
    for (const health of ["STALLED", "STOPPED", "OK"] as const) alerts.observe(report(health));
    await events.waitFor("delivered", { count: 2 });
    expect(received.map(({ notice: { kind, to } }) => `${kind} ${to}`)).toEqual([
      "firing STALLED",
      "firing STALLED",
      "changed STOPPED",
      "resolved OK",
    ]);
    expect(alerts.waiting).toBe(0);
  });

  it("is tried again after 500 and 429, with the same id, later and later, until it is delivered", async () => {
    const clock = new ManualClock();
    const { received, url, origin } = await receive(
      status(500),
      status(429, { "retry-after": "7" }),
      status(500),
      status(200),
    );
    const { alerts, events } = start(
      { webhookUrl: url, retryBaseMs: 1_000, retryCapMs: 8_000 },
      { clock, random: () => 0.999 },
    );
    alerts.observe(report("STALLED"));
    for (let attempt = 1; attempt <= 3; attempt++) {
      await events.waitFor("deliveryFailed", { count: attempt });
      expect(received).toHaveLength(attempt);
      await eventually("the wait", () => clock.pending === 1);
      await clock.advanceToNext();
    }
    const delivered = await events.waitFor("delivered");
    expect(delivered).toMatchObject({ attempts: 4, key: '["group","orders","billing"]' });
    expect(events.all("deliveryFailed").map(({ reason, retryInMs }) => [reason, Math.round(retryInMs)])).toEqual([
      [`${origin} answered 500`, 1_000],
      [`${origin} answered 429`, 7_000],
      [`${origin} answered 500`, 3_997],
    ]);
    expect(new Set(received.map(({ notice: { id } }) => id)).size).toBe(1);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  });

  it("is given up when it goes on failing, and the next notice is tried", async () => {
    const { received, url, origin } = await receive(status(500), status(502), status(503), status(204));
    const { alerts, events } = start({ webhookUrl: url, maxAttempts: 3 });
    alerts.observe(report("STALLED"));
    alerts.observe(report("STOPPED"));
    expect(await events.waitFor("undelivered")).toMatchObject({ attempts: 3, reason: `${origin} answered 503` });
    await events.waitFor("delivered");
    expect(received).toHaveLength(4);
  });

  it.each([301, 302, 307, 400, 403, 404, 410])("is given up at once after %s", async (code) => {
    const elsewhere = await receive();
    const { received, url } = await receive(status(code, { location: elsewhere.url }));
    const { alerts, events } = start({ webhookUrl: url });
    alerts.observe(report("STALLED"));
    await events.waitFor("undelivered");
    expect(received).toHaveLength(1);
    expect(elsewhere.received).toHaveLength(0);
  });

  it("that hangs is tried again after the timeout", async () => {
    const { url, origin } = await receive(() => {}, status(200));
    const { alerts, events } = start({ webhookUrl: url, timeoutMs: 100 });
    alerts.observe(report("STALLED"));
    expect(await events.waitFor("deliveryFailed")).toMatchObject({ reason: `${origin} did not answer within 100 ms` });
    expect(await events.waitFor("delivered")).toMatchObject({ attempts: 2 });
  });

  it("that answers well and never ends its answer has got the notice", async () => {
    const { received, url } = await receive((response) => response.writeHead(200).write("and then"), status(200));
    const { alerts, events } = start({ webhookUrl: url, timeoutMs: 200 });
    alerts.observe(report("STALLED"));
    await events.waitFor("delivered");
    alerts.observe(report("STOPPED"));
    await events.waitFor("delivered", { count: 2 });
    expect(received).toHaveLength(2);
  });

  it("that answers without end is not read to it", async () => {
    const cut = deferred<void>();
    const { url } = await receive((response) => {
      response.once("close", () => cut.resolve());
      const write = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        if (!response.destroyed) response.once("drain", write);
      };
      write();
    });
    const { alerts, events } = start({ webhookUrl: url });
    alerts.observe(report("STALLED"));
    await events.waitFor("delivered");
    await expect(cut.promise).resolves.toBeUndefined();
  });

  it("that breaks off is tried again", async () => {
    const { url, origin } = await receive((_, request) => request.socket.destroy(), status(200));
    const { alerts, events } = start({ webhookUrl: url });
    alerts.observe(report("STALLED"));
    expect(await events.waitFor("deliveryFailed")).toMatchObject({
      reason: `${origin} could not be reached: ECONNRESET`,
    });
    await events.waitFor("delivered");
  });

  it("that cannot be reached shows neither user, password, path nor query in any event", async () => {
    const { alerts, events } = start({
      webhookUrl: "http://user-1:pass-1@127.0.0.1:9/path-1?query=1",
      webhookSecret: "signing-secret-1",
      webhookHeaders: { authorization: "header-1" },
      maxAttempts: 2,
    });
    alerts.observe(report("STALLED"));
    expect(await events.waitFor("undelivered")).toMatchObject({
      reason: "http://127.0.0.1:9 could not be reached: ECONNREFUSED",
    });
    expect(JSON.stringify(events.events)).not.toMatch(/user-1|pass-1|path-1|query|signing|header-1/);
  });

  describe("over TLS", () => {
    // Any server with a certificate that no authority of this machine has signed; it need not speak HTTP.
    const tls = useServer({ tls: "server" });

    it("gets nothing when nobody vouches for it", async () => {
      const { port } = tls.server.address;
      const { alerts, events } = start({ webhookUrl: `https://localhost:${port}/hook`, maxAttempts: 1 });
      alerts.observe(report("STALLED"));
      const { reason } = await events.waitFor("undelivered");
      expect(reason).toMatch(/^https:\/\/localhost:\d+ could not be reached: (SELF_SIGNED|UNABLE_TO)_\w+$/);
    });
  });

  it("has a bounded queue: the oldest that waits is given up, and reported", async () => {
    const release = deferred<void>();
    const { received, url } = await receive((response) => void release.promise.then(() => response.end()));
    const { alerts, events } = start({ webhookUrl: url, queueLimit: 3 });
    for (const health of ["STALLED", "STOPPED", "REWOUND", "FALLING BEHIND", "STALLED"] as const) {
      alerts.observe(report(health));
    }
    expect(alerts.waiting).toBe(3);
    expect(events.all("undelivered").map(({ attempts, reason }) => [attempts, reason])).toEqual([
      [0, "too many notices wait for delivery"],
      [0, "too many notices wait for delivery"],
    ]);
    release.resolve();
    await events.waitFor("delivered", { count: 3 });
    expect(received.map(({ notice: { to } }) => to)).toEqual(["STALLED", "FALLING BEHIND", "STALLED"]);
  });

  it("that gets nothing is a process warning where there is no observer", async () => {
    const warned = deferred<Error>();
    const listen = (warning: Error): void => warned.resolve(warning);
    process.on("warning", listen);
    onTestFinished(() => void process.off("warning", listen));
    const { url, origin } = await receive(status(404));
    await using alerts = new Alerts({ ...at, webhookUrl: url });
    alerts.observe(report("STALLED"));
    expect((await warned.promise).message).toBe(`alerts: an alert was not delivered: ${origin} answered 404`);
  });

  it("takes up its work again after every pause", async () => {
    const { received, url } = await receive();
    const { alerts, events } = start({ webhookUrl: url });
    for (let round = 1; round <= 20; round++) {
      alerts.observe(report(round % 2 === 1 ? "STALLED" : "OK"));
      await events.waitFor("delivered", { count: round });
    }
    expect(received).toHaveLength(20);
  });
});

describe("closing", () => {
  it("delivers what is left, and refuses more", async () => {
    const { received, url } = await receive();
    const { alerts } = start({ webhookUrl: url });
    alerts.observe(report("STALLED"));
    alerts.observe(report("STOPPED"));
    await Promise.all([alerts.close(), alerts.close()]);
    expect(received).toHaveLength(2);
    expect(() => alerts.observe(report("OK"))).toThrow(UsageError);
    expect(() => alerts.observeFailure({ stream: "orders", reason: "" })).toThrow(UsageError);
  });

  it("does not wait for another attempt, and reports what it could not deliver", async () => {
    const { received, url, origin } = await receive(status(500));
    const { alerts, events } = start({ webhookUrl: url, retryBaseMs: 600_000, retryCapMs: 600_000 });
    alerts.observe(report("STALLED"));
    alerts.observe(report("STOPPED"));
    await events.waitFor("deliveryFailed");
    await alerts.close();
    expect(events.all("undelivered").map(({ attempts, reason }) => [attempts, reason])).toEqual([
      [2, `${origin} answered 500; the alerts were closed`],
      [1, `${origin} answered 500; the alerts were closed`],
    ]);
    expect(received).toHaveLength(3);
  });

  it("gives up a receiver that hangs when its time is over", async () => {
    const clock = new ManualClock();
    const { received, url } = await receive(() => {});
    const { alerts, events } = start({ webhookUrl: url, drainMs: 5_000 }, { clock, random: () => 0 });
    alerts.observe(report("STALLED"));
    alerts.observe(report("STOPPED"));
    await eventually("the request", () => received.length === 1);
    const closed = alerts.close();
    await clock.advance(5_000);
    await closed;
    expect(events.all("undelivered").map(({ attempts }) => attempts)).toEqual([1, 0]);
    expect(clock.pending).toBe(0);
  });
});

describe("the callback", () => {
  it("is enough without a webhook", async () => {
    const { alerts, events } = start({});
    alerts.observe(report("STALLED"));
    alerts.observe(report("OK"));
    expect(events.all("notice").map(({ notice: { kind } }) => kind)).toEqual(["firing", "resolved"]);
    expect(alerts.waiting).toBe(0);
  });

  it("holds back by default until the third look", async () => {
    const events = new EventRecorder<AlertsEvent>();
    await using alerts = new Alerts({ observer: events.observe });
    for (const count of [0, 0, 1, 1]) {
      alerts.observe(report("STALLED"));
      expect(events.all("notice")).toHaveLength(count);
    }
  });
});

describe("a monitor that cannot see its stream", () => {
  it("is announced, and when it sees it again", async () => {
    const { received, url } = await receive();
    const { alerts, events } = start({ webhookUrl: url });
    alerts.observeFailure({ stream: "orders", reason: "no connection to redis" });
    alerts.observe(report("OK"));
    await events.waitFor("delivered", { count: 2 });
    expect(received.map(({ notice: { kind, about, group, to, reason } }) => [kind, about, group, to, reason])).toEqual([
      ["firing", "monitor", null, "BLIND", "no connection to redis"],
      ["resolved", "monitor", null, "OK", "it can read the stream"],
    ]);
  });
});

describe("the options", () => {
  it("are refused with every problem, and without what is secret in them", () => {
    const error = thrownBy(() => {
      const options = {
        webhookUrl: "ftp://user-1:pass-1@host/path-1",
        webhookSecret: "short-1",
        webhookHeaders: { "bad name": "value-1\n" },
        fireAfterPass: 3,
        retryBaseMs: 2_000,
        retryCapMs: 1_000,
      };
      return new Alerts(options);
    });
    expect(ConfigError.is(error) && error.problems).toEqual([
      'unknown option "fireAfterPass", did you mean "fireAfterPasses"?',
      "retryCapMs (1000) must not be below retryBaseMs (2000)",
      "webhookUrl must be a URL that starts with https:// or http://",
      "webhookSecret must be a text of 16 characters or more",
      "webhookHeaders must be an object of header names and values",
    ]);
    expect(String(error)).not.toMatch(/user-1|pass-1|path-1|short-1|value-1/);
  });

  it("need somebody who is told", () => {
    expect(() => new Alerts({})).toThrow("give an observer, a webhookUrl, or both");
    expect(() => new Alerts({ observer() {}, webhookSecret: SECRET })).toThrow("webhookSecret needs webhookUrl");
  });
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
