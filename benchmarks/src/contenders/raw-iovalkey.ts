/** The loop that people write by hand, over iovalkey. */
import { Redis } from "iovalkey";
import { contend } from "../contending.ts";
import { rawLoop } from "../raw-loop.ts";

await contend(({ redis: { host, port }, ...task }, meter) => rawLoop(new Redis({ host, port }), task, meter));
