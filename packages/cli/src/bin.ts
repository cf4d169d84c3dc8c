import { main } from "./main.ts";

const code = await main(process.argv.slice(2));
// Standard output has been flushed. Sockets that ioredis leaves open after it gave up
// on a Sentinel or a Cluster must not delay the exit for seconds.
process.stderr.write("", () => process.exit(code));
