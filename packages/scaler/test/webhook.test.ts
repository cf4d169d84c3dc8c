/** The webhook executor, with a real receiver. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { ConfigError } from "@redis-batch/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { verifyOrderSignature, webhookExecutor } from "../src/index.ts";
import { ORDER, scaleOut } from "./decision-samples.ts";

const SECRET = "the secret of the receiver";
const never = new AbortController().signal;
const FAST = { retryBaseMs: 10, retryCapMs: 20 };

/** A receiver that answers with these, the last one for ever. */
async function receive(...statuses: number[]) {
  const received: { readonly request: IncomingMessage; readonly body: string }[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const answer = async (): Promise<void> => {
      received.push({ request, body: await text(request) });
      response.writeHead((statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 204).end();
    };
    void answer();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  return { received, url: `http://127.0.0.1:${port}/scale?key=private`, origin: `http://127.0.0.1:${port}` };
}

describe("a webhook", () => {
  it("gets the order as signed JSON, and has ordered it once it said yes", async () => {
    const { received, url, origin } = await receive(202);
    const executor = webhookExecutor({ url, secret: SECRET, headers: { authorization: "Bearer x" } });
    expect(executor.name).toBe(`webhook ${origin}`);
    expect(await executor.status(never)).toBeNull();
    const decision = scaleOut();
    await executor.scale(decision, never, ORDER);
    const [{ request, body }] = received as [(typeof received)[number]];
    expect(JSON.parse(body)).toMatchObject({ v: 1, ...ORDER, current: 2, desired: 3, reason: decision.reason });
    expect(request.headers).toMatchObject({
      ...{ "redis-batch-order": "3.7", "content-type": "application/json", authorization: "Bearer x" },
      "user-agent": "redis-batch-scaler",
    });
    const signature = request.headers["redis-batch-signature"] as string;
    expect(verifyOrderSignature({ body, signature, secret: SECRET })).toBe(true);
    expect(verifyOrderSignature({ body: `${body} `, signature, secret: SECRET })).toBe(false);
    expect(await executor.status(never)).toMatchObject({ desired: 3, ready: null });
  });

  it("is tried again where that may help, with the same order", async () => {
    const { received, url } = await receive(503, 429, 200);
    await webhookExecutor({ url, ...FAST }).scale(scaleOut(), never, ORDER);
    expect(received.map(({ body }) => body)).toEqual(Array.from({ length: 3 }, () => received[0]?.body));
    expect(received.map(({ request }) => request.headers["redis-batch-order"])).toEqual(["3.7", "3.7", "3.7"]);
    expect(received[0]?.request.headers["redis-batch-signature"]).toBeUndefined();
  });

  it("that refuses is not asked again, that stays away only so often; errors name no path and no secret", async () => {
    const refusing = await receive(409);
    const refused = webhookExecutor({ url: refusing.url, secret: SECRET, ...FAST });
    await expect(refused.scale(scaleOut(), never, ORDER)).rejects.toThrow(
      `${refusing.origin} answered 409, after 1 attempts`,
    );
    expect(await refused.status(never)).toBeNull();
    const failing = await receive(500);
    const failed = webhookExecutor({ url: failing.url, secret: SECRET, maxAttempts: 2, ...FAST });
    const error: unknown = await failed.scale(scaleOut(), never, ORDER).catch((reason: unknown) => reason);
    expect(String(error)).toBe(`Error: ${failing.origin} answered 500, after 2 attempts`);
    expect(failing.received).toHaveLength(2);
  });

  it("is left alone once the scaler may not lead any longer", async () => {
    const { received, url } = await receive(503);
    const over = new AbortController();
    const executor = webhookExecutor({ url, retryBaseMs: 600_000, retryCapMs: 600_000 });
    const ended = executor.scale(scaleOut(), over.signal, ORDER);
    await expect.poll(() => received.length).toBe(1);
    over.abort();
    await expect(ended).rejects.toThrow("was given up");
    expect(received).toHaveLength(1);
  });

  it("names every problem of its options, and no secret", () => {
    const wrong = { url: "ftp://x", secret: "short", retryBaseMs: 50, retryCapMs: 20, timeout: 1 };
    let problems: readonly string[] = [];
    try {
      webhookExecutor(wrong);
    } catch (error) {
      if (ConfigError.is(error)) problems = error.problems;
    }
    expect(problems).toEqual([
      'unknown option "timeout", did you mean "timeoutMs"?',
      "retryCapMs (20) must not be below retryBaseMs (50)",
      "url must be a URL that starts with https:// or http://",
      "secret must be a text of 16 characters or more",
    ]);
  });
});
