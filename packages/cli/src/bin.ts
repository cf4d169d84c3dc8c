import { main } from "./main.ts";

const code = await main(process.argv.slice(2));
// Standard output has been awaited; what ioredis leaves of a Sentinel or a Cluster
// that was given up must not keep the program for seconds.
process.stderr.write("", () => process.exit(code));
