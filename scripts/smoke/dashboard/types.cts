// A CommonJS TypeScript user.
import { createDashboard, type Dashboard } from "@redis-batch/dashboard";

export const create = (): Dashboard => createDashboard({ redis: "redis://localhost" });
