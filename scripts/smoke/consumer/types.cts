// A CommonJS TypeScript user.
import { Consumer } from "@redis-batch/consumer";

export const create = (): Consumer => new Consumer({ redis: "redis://localhost", stream: "orders", group: "billing" });
