// Shows a group, as a server and mounted in one. The only argument is the URL of a server.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createDashboard, startDashboard } from "@redis-batch/dashboard";
import { Redis } from "ioredis";

const stream = `smoke-${randomUUID()}`;
const redis = new Redis(process.argv[2] ?? "");
await redis.xgroup("CREATE", stream, "smoke", "0", "MKSTREAM");
await redis.xadd(stream, "*", "n", "1");

const options = { redis: process.argv[2] ?? "", streams: [stream] };
const server = await startDashboard({ ...options, port: 0 });
// The page is in the package, whole.
const page = await (await fetch(server.url)).text();
for (const [, file] of page.matchAll(/(?:src|href)="\.\/([^"]+)"/g)) {
  assert.equal((await fetch(server.url + file)).status, 200);
}
const live = await fetch(`${server.url}api/live`);
const first = /** @type {{ readonly value?: Uint8Array } | undefined} */ (await live.body?.getReader().read());
assert.match(new TextDecoder().decode(first?.value), /^event: look\n/);
await server.close();

const dashboard = createDashboard(options);
const { status, headers } = await dashboard.fetch(new Request("http://localhost/"));
assert.equal(status, 200);
assert.match(headers.get("content-security-policy") ?? "", /^default-src 'none'/);
await dashboard.close();
await redis.del(stream);
await redis.quit();
