// A CommonJS TypeScript user.
import { Producer } from "@redis-batch/core";

export const create = (): Producer => new Producer({ redis: "redis://localhost", stream: "orders" });
