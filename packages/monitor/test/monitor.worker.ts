/** A monitor that cleans up until it is killed, and prints what it does. */
import { Monitor } from "../src/index.ts";

const [, , redis = "", stream = "", group = ""] = process.argv;
const monitor = new Monitor({
  ...{ redis, stream, group, graceMs: 0 },
  observer: (event) => console.log(JSON.stringify(event)),
});
await monitor.run({ intervalMs: 200, autoCleanUp: true });
