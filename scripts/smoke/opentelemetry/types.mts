// What a TypeScript user of the package sees; compiled against the packed declarations by several compilers.
import { type Context, trace } from "@opentelemetry/api";
import { Producer } from "@redis-batch/core";
import {
  contextOfBatch,
  contextOfMessage,
  type FollowedBatch,
  type OpenTelemetryOptions,
  openTelemetry,
} from "@redis-batch/opentelemetry";
import { create } from "./types.cjs";

const options: OpenTelemetryOptions = {
  tracerProvider: trace.getTracerProvider(),
  contextOf: ({ fields }) => ({ traceparent: fields["traceparent"] ?? "" }),
};

export const producer = new Producer({
  redis: "redis://localhost",
  stream: "orders",
  instrumentation: openTelemetry(options),
});
// One type, whichever way it is loaded.
export const other = new Producer({ redis: "redis://localhost", stream: "orders", instrumentation: create() });

export const contexts = (batch: FollowedBatch): readonly Context[] => [
  contextOfBatch(batch),
  ...batch.messages.map(contextOfMessage),
];

// Declarations that could not be resolved would be `any`, and allow this.
// @ts-expect-error maxLinks is a number
export const wrong = (): unknown => openTelemetry({ maxLinks: "many" });

// With exactOptionalPropertyTypes: an option may be given as undefined, as process.env has it.
type Unset<Options> = {
  [Name in keyof Options]: object extends Pick<Options, Name> ? Options[Name] | undefined : Options[Name];
};
export const unset = (given: Unset<OpenTelemetryOptions>): OpenTelemetryOptions => given;
