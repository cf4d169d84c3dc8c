/** The loop that people write by hand, over ioredis 5. */
import { Redis } from "ioredis-v5";
import { contend } from "../contending.ts";
import { rawLoop } from "../raw-loop.ts";

await contend(({ redis: { host, port }, ...task }, meter) => rawLoop(new Redis({ host, port }), task, meter));
