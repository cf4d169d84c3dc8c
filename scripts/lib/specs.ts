/** Every option there is, by package and spec: `core`, `PRODUCER_SPEC`. Needs the sources' condition. */
import * as consumer from "@redis-batch/consumer/spec";
import type { OptionSpecs } from "@redis-batch/core/internal/options";
import * as core from "@redis-batch/core/spec";
import * as dashboard from "@redis-batch/dashboard/spec";
import * as monitor from "@redis-batch/monitor/spec";
import * as opentelemetry from "@redis-batch/opentelemetry/spec";
import * as scaler from "@redis-batch/scaler/spec";

export const SPECS: Readonly<Record<string, Readonly<Record<string, OptionSpecs>>>> = {
  core,
  consumer,
  monitor,
  scaler,
  dashboard,
  opentelemetry,
};
