// A CommonJS TypeScript user, to whom nodenext allows requiring a module.
import { Consumer } from "@redis-batch/consumer";

export const create = (): Consumer => new Consumer({ redis: "redis://localhost", stream: "orders", group: "billing" });
