import type { Scenario } from "../scenario.ts";
import { ADD_MANY } from "./add-many.ts";
import { BULLMQ } from "./bullmq.ts";
import { CLI_START } from "./cli-start.ts";
import { CLIENTS } from "./clients.ts";
import { CONSUME } from "./consume.ts";
import { HAND_OVER } from "./hand-over.ts";
import { IDLE_LATENCY } from "./idle-latency.ts";
import { MONITOR_PASS } from "./monitor-pass.ts";
import { ORDER } from "./order.ts";
import { RELEASE } from "./release.ts";
import { STREAMS } from "./streams.ts";
import { TRACING } from "./tracing.ts";
import { TRICKLE } from "./trickle.ts";

export const SCENARIOS: readonly Scenario[] = [
  ...CLIENTS,
  ...CONSUME,
  BULLMQ,
  TRICKLE,
  IDLE_LATENCY,
  ...STREAMS,
  ...ORDER,
  ADD_MANY,
  ...TRACING,
  HAND_OVER,
  RELEASE,
  MONITOR_PASS,
  CLI_START,
];
