/**
 * What people write by hand: a loop of XREADGROUP and one XACK with all ids, over ioredis 6. Variants: `read`, and it reads a
 * field of each message; `delete`, and one XDEL; `trickle`, with the share of full batches.
 */
import { Cluster, Redis } from "ioredis";
import { contend } from "../contending.ts";
import { rawLoop } from "../raw-loop.ts";

await contend(({ redis: { isCluster, ...server }, ...task }, meter) =>
  rawLoop(isCluster === true ? new Cluster([server]) : new Redis(server), task, meter),
);
