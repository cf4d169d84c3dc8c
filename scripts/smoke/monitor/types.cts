// A CommonJS TypeScript user.
import { Monitor } from "@redis-batch/monitor";

export const create = (): Monitor => new Monitor({ redis: "redis://localhost", stream: "orders", group: "billing" });
