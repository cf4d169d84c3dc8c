// A CommonJS TypeScript user, to whom nodenext allows requiring a module.
import { Scaler } from "@redis-batch/scaler";

export const create = (): Scaler => new Scaler({ redis: "redis://localhost", stream: "orders", group: "billing" });
