export {
  PROMETHEUS_CONTENT_TYPES,
  type PrometheusFormat,
  type VerifySignatureOptions as VerifyAlertOptions,
  verifySignature as verifyAlertSignature,
} from "@redis-batch/core/web";
export type { AlertNotice, AlertsEvent } from "./alerts/events.ts";
export { ALERTS_DEFAULTS, type AlertsOptions } from "./alerts/options.ts";
export { Alerts } from "./alerts.ts";
export type { CleanUpReport, GroupCleanUp, LeftBehind, Move, Taken, TrimmedPending } from "./clean-up-report.ts";
export type { AlertChange, AlertStatus, AlertTopic } from "./decisions/alerting.ts";
export type { MonitorEvent } from "./events.ts";
export { toJSON } from "./exporters/json.ts";
export type { MetricDefinition } from "./exporters/metrics.ts";
export { type PrometheusOptions, toPrometheus } from "./exporters/prometheus.ts";
export { type MetricsRegistry, type ReportSource, registerInto } from "./exporters/registry.ts";
export { METRICS, type MetricsOptions, type Reports } from "./exporters/samples.ts";
export {
  METRICS_SERVER_DEFAULTS,
  type MetricsServer,
  type MetricsServerOptions,
  startMetricsServer,
} from "./exporters/server.ts";
export { renderTable, type TableOptions } from "./exporters/table.ts";
export { MonitorTally, type TallyCounts } from "./exporters/tally.ts";
export { Monitor, type MonitorHealth } from "./monitor.ts";
export {
  type CleanUpOptions,
  MONITOR_DEFAULTS,
  type MonitorOptions,
  type PauseOptions,
  type ResumeOptions,
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
  LaterMessages,
  MonitorReport,
  PartitionReport,
  PauseReport,
  PauseResult,
  RateReport,
  ReleasedMessages,
  RetentionReport,
} from "./report.ts";
export type { TrimReport } from "./retention.ts";
