// A CommonJS TypeScript user, to whom nodenext allows requiring a module.
import { Monitor } from "@redis-batch/monitor";

export const create = (): Monitor => new Monitor({ redis: "redis://localhost", stream: "orders", group: "billing" });
