/** The dashboard mounted in servers of others. */
import "reflect-metadata";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { eventually, useServer } from "@redis-batch/test-support";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { beforeAll, describe, expect, it } from "vitest";
import { createDashboard } from "../src/index.ts";
import { ask, groupWithLetter } from "./ask.ts";
import { buildPage } from "./build-page.ts";

const redis = useServer();
const observer = (): void => {};

beforeAll(buildPage);

describe("mounted", () => {
  type Mounted = (...args: Parameters<RequestListener>) => unknown;
  type Mount = (dashboard: ReturnType<typeof createDashboard>) => Promise<Mounted> | Mounted;
  const mounts: readonly (readonly [name: string, prefix: string | undefined, mount: Mount])[] = [
    ["node:http", "/ops/queues", ({ handler }) => handler],
    [
      "Express, behind a body parser",
      undefined,
      ({ handler }) => express().use(express.json()).use("/ops/queues", handler),
    ],
    [
      "Nest, on Express",
      undefined,
      async ({ handler }) => {
        class Application {
          readonly name = "the application around it";
        }
        Module({})(Application);
        const app = await NestFactory.create(Application, { logger: false });
        app.use("/ops/queues", handler);
        await app.init();
        return app.getHttpAdapter().getInstance() as RequestListener;
      },
    ],
    [
      "Fastify",
      "/ops/queues",
      async ({ handler }) => {
        const app = fastify();
        app.removeAllContentTypeParsers();
        app.addContentTypeParser("*", (_request, _payload, done) => done(null));
        const serve = (
          asked: { readonly raw: IncomingMessage },
          reply: { hijack(): void; readonly raw: Parameters<RequestListener>[1] },
        ) => {
          reply.hijack();
          handler(asked.raw, reply.raw);
        };
        app.all("/ops/queues", serve);
        app.all("/ops/queues/*", serve);
        await app.ready();
        return (request, response) => app.routing(request, response);
      },
    ],
    [
      "Hono",
      "/ops/queues",
      ({ fetch }) => {
        const app = new Hono();
        app.all("/ops/queues", (c) => fetch(c.req.raw));
        app.all("/ops/queues/*", (c) => fetch(c.req.raw));
        return getRequestListener(app.fetch, { overrideGlobalObjects: false });
      },
    ],
  ];

  it.each(mounts)("in %s: the page, its files, data, and what is sent", async (_name, prefix, mount) => {
    const stream = await groupWithLetter(redis.server);
    await using dashboard = createDashboard({
      ...{ redis: redis.server.url, streams: [stream], observer, allowActions: true, intervalMs: 500 },
      ...(prefix === undefined ? {} : { prefix }),
    });
    const mounted = await mount(dashboard);
    const server = createServer((asked, answer) => void mounted(asked, answer));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const bare = await ask(port, "/ops/queues");
      expect([bare.status, bare.headers.location]).toEqual([302, "/ops/queues/"]);
      const { body } = await ask(port, "/ops/queues/");
      const script = /src="\.\/([^"]+)"/.exec(body)?.[1];
      expect((await ask(port, `/ops/queues/${script}`)).status).toBe(200);
      await eventually("the group was looked at", async () => {
        const { status } = await ask(port, `/ops/queues/api/group?stream=${stream}&group=g`);
        return status === 200;
      });
      const headers = { "content-type": "application/json", origin: `http://127.0.0.1:${port}` };
      const wish = { action: "redrive", stream, group: "g", all: true };
      const plan = await ask(port, "/ops/queues/api/plans", { method: "POST", body: wish, headers });
      expect([plan.status, plan.body]).toEqual([200, expect.stringContaining('"letters":1')]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
