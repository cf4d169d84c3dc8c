import { createServer } from "node:net";
import { deferred } from "@redis-batch/testing/time";

/** Below the range from which Linux takes ports for outgoing connections, with room for the cluster bus above. */
const FIRST_PORT = 10_000;
const PORT_COUNT = 12_000;
/** A cluster node's second port is this much higher. */
const CLUSTER_BUS_OFFSET = 10_000;

// Neighbouring process ids (the workers of one test run) begin far apart.
let cursor = (process.pid * 131) % PORT_COUNT;

/** A port that is free now, with a free cluster bus port. Another process may take it first: be ready to call again. */
export async function findFreePort(): Promise<number> {
  for (let tried = 0; tried < PORT_COUNT; tried += 1) {
    const port = FIRST_PORT + cursor;
    cursor = (cursor + 1) % PORT_COUNT;
    if ((await isFree(port)) && (await isFree(port + CLUSTER_BUS_OFFSET))) return port;
  }
  throw new Error(`no free port from ${FIRST_PORT} to ${FIRST_PORT + PORT_COUNT}`);
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = deferred<boolean>();
  const probe = createServer();
  probe.once("error", () => resolve(false));
  probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => probe.close(() => resolve(true)));
  return promise;
}
