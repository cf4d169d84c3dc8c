import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { ConsumerHealth } from "@redis-batch/consumer";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Probes, startProbes } from "./probes.ts";

const WELL: ConsumerHealth = {
  state: "running",
  live: true,
  ready: true,
  intake: "open",
  handlersHung: 0,
  buffered: 0,
  inFlight: 0,
  deferred: 0,
  unconfirmedAcks: 0,
  streams: [],
};

describe("startProbes", () => {
  let health = WELL;
  let probes: Probes;

  beforeEach(async () => {
    probes = await startProbes({ host: "127.0.0.1", port: 0 }, () => health);
  });
  afterEach(() => probes[Symbol.asyncDispose]());

  const ask = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${probes.port}${path}`);

  it.each([
    { live: true, ready: true, healthz: 200, readyz: 200 },
    { live: true, ready: false, healthz: 200, readyz: 503 },
    { live: false, ready: false, healthz: 503, readyz: 503 },
  ])("live $live, ready $ready: /healthz $healthz, /readyz $readyz", async ({ live, ready, healthz, readyz }) => {
    health = { ...WELL, live, ready };
    expect((await ask("/healthz")).status).toBe(healthz);
    expect((await ask("/readyz?from=probe")).status).toBe(readyz);
  });

  it("answers with the consumer's health", async () => {
    health = { ...WELL, inFlight: 7 };
    expect(await (await ask("/readyz")).json()).toEqual(health);
  });

  it.each(["/", "//", "//:99999/", "/%"])("knows no other path, such as %s", async (path) => {
    // As it is: fetch would make a URL of it first.
    const asked = request({ port: probes.port, path }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(404);
  });

  it("says when the port is taken", async () => {
    await expect(startProbes({ host: "127.0.0.1", port: probes.port }, () => health)).rejects.toThrow("EADDRINUSE");
  });
});
