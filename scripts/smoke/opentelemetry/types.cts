// A CommonJS TypeScript user.
import { type OpenTelemetryInstrumentation, openTelemetry } from "@redis-batch/opentelemetry";

export const create = (): OpenTelemetryInstrumentation => openTelemetry();
