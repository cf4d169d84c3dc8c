/** The instruments, by the meter provider that there is now: the global one may be registered after the first message. */
import { type Counter, type Histogram, type MeterProvider, metrics, ValueType } from "@opentelemetry/api";
import { CONSUMED, DURATION_BOUNDS, OPERATION_DURATION, PROCESS_DURATION, SCHEMA_URL, SENT } from "./conventions.ts";

export interface Instruments {
  readonly sent: Counter;
  readonly consumed: Counter;
  readonly operationDuration: Histogram;
  readonly processDuration: Histogram;
}

export class Meters {
  readonly #given: MeterProvider | undefined;
  #current: MeterProvider | undefined;
  #instruments: Instruments | undefined;

  constructor(given: MeterProvider | undefined) {
    this.#given = given;
  }

  get instruments(): Instruments {
    const provider = this.#given ?? metrics.getMeterProvider();
    if (this.#instruments === undefined || provider !== this.#current) {
      this.#current = provider;
      this.#instruments = create(provider);
    }
    return this.#instruments;
  }
}

function create(provider: MeterProvider): Instruments {
  const meter = provider.getMeter("@redis-batch/opentelemetry", undefined, { schemaUrl: SCHEMA_URL });
  const messages = { unit: "{message}", valueType: ValueType.INT };
  const seconds = { unit: "s", advice: { explicitBucketBoundaries: DURATION_BOUNDS } };
  return {
    sent: meter.createCounter(SENT, { ...messages, description: "Messages that a producer has tried to add" }),
    consumed: meter.createCounter(CONSUMED, { ...messages, description: "Messages that were handed to your code" }),
    operationDuration: meter.createHistogram(OPERATION_DURATION, {
      ...seconds,
      description: "Time until the server has confirmed an add, or the outcomes of a batch",
    }),
    processDuration: meter.createHistogram(PROCESS_DURATION, {
      ...seconds,
      description: "Time that your code had a batch",
    }),
  };
}
