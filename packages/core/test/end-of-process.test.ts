/** A process may end as soon as its client is closed, however the connection has fared. */
import { FaultProxy, runWorker, useServer, type WorkerProcess } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";

const redis = useServer();
const WORKER = new URL("end-of-process.worker.ts", import.meta.url);

describe.each(["ioredis 6", "ioredis 5"])(
  "over %s a closed client leaves nothing that keeps the process",
  (library) => {
    const start = (url: string, when = "") => runWorker(WORKER, { args: [library, url, when] });
    const left = async (worker: WorkerProcess): Promise<unknown> => JSON.parse(await worker.waitForLine(/^\[/));

    test("where nobody listens", async () => {
      const proxy = await FaultProxy.start(redis.server);
      const { url } = proxy;
      await proxy.stop();
      await using worker = await start(url);
      expect(await left(worker)).toEqual([]);
    });

    test("where the server is silent", async () => {
      await using proxy = await FaultProxy.start(redis.server, { faults: { blackhole: true } });
      await using worker = await start(proxy.url);
      expect(await left(worker)).toEqual([]);
    });

    test("where TLS is not answered", async () => {
      await using proxy = await FaultProxy.start(redis.server, { faults: { blackhole: true } });
      await using worker = await start(proxy.url.replace("redis:", "rediss:"));
      expect(await left(worker)).toEqual([]);
    });

    test("where the server has gone", async () => {
      const proxy = await FaultProxy.start(redis.server);
      await using worker = await start(proxy.url, "lost");
      await worker.waitForLine("connected");
      await proxy.stop();
      expect(await left(worker)).toEqual([]);
    });
  },
);
