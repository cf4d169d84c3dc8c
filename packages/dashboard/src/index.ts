export { createDashboard, type Dashboard } from "./dashboard.ts";
export type { DashboardEvent } from "./events.ts";
export { DASHBOARD_DEFAULTS, type DashboardOptions, type DashboardServerOptions } from "./options.ts";
export { type DashboardServer, startDashboard } from "./server.ts";
