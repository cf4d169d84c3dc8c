// A CommonJS TypeScript user.
import { Scaler } from "@redis-batch/scaler";

export const create = (): Scaler => new Scaler({ redis: "redis://localhost", stream: "orders", group: "billing" });
