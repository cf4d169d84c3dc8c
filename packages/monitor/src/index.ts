export type { MonitorEvent } from "./events.ts";
export {
  type CleanUpOptions,
  MONITOR_DEFAULTS,
  type MonitorOptions,
  RUN_DEFAULTS,
  type RunOptions,
  type TrimOptions,
} from "./options.ts";
export type {
  Backlog,
  BacklogSource,
  ConsumerReport,
  ConsumerStatus,
  GroupHealth,
  GroupReport,
  GroupRetention,
  MonitorReport,
  RetentionReport,
} from "./report.ts";
