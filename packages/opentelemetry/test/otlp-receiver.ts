/** A receiver of OTLP over HTTP, as a collector is one, that keeps what it gets. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { eventually } from "@redis-batch/test-support";

type Value = string | number | boolean;

export interface ReceivedSpan {
  readonly name: string;
  readonly kind: "internal" | "server" | "client" | "producer" | "consumer";
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes: Readonly<Record<string, Value>>;
  }[];
  /** The message of an error; `undefined`: none. */
  readonly error: string | undefined;
  readonly events: readonly string[];
  readonly traceState: string | undefined;
}

export interface ReceivedPoint {
  readonly metric: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, Value>>;
  /** The sum of a counter, or how many measurements a histogram has. */
  readonly count: number;
  readonly bounds: readonly number[] | undefined;
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number; readonly boolValue?: boolean };
}

interface OtlpSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly links?: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes: readonly OtlpAttribute[];
  }[];
  readonly events?: readonly { readonly name: string }[];
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly traceState?: string;
}

interface OtlpPoint {
  readonly attributes: readonly OtlpAttribute[];
  readonly asInt?: number;
  readonly asDouble?: number;
  readonly count?: number;
  readonly explicitBounds?: readonly number[];
}

interface OtlpBody {
  readonly resourceSpans?: readonly { readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[] }[];
  readonly resourceMetrics?: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly unit: string;
        readonly sum?: { readonly dataPoints: readonly OtlpPoint[] };
        readonly histogram?: { readonly dataPoints: readonly OtlpPoint[] };
      }[];
    }[];
  }[];
}

const KINDS = ["internal", "internal", "server", "client", "producer", "consumer"] as const;

export class OtlpReceiver implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  /** Those of the last export. */
  points: readonly ReceivedPoint[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<OtlpReceiver> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new OtlpReceiver(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The spans of this name, in the order in which they began, as soon as there are that many. */
  async named(name: string, count = 1): Promise<readonly ReceivedSpan[]> {
    const found = (): ReceivedSpan[] => this.spans.filter((span) => span.name === name);
    await eventually(`${count} spans "${name}"`, () => found().length >= count);
    return found().toSorted((left, right) => left.startMs - right.startMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#take((await json(request)) as OtlpBody);
    response.setHeader("content-type", "application/json").end("{}");
  }

  #take({ resourceSpans = [], resourceMetrics = [] }: OtlpBody): void {
    for (const { scopeSpans } of resourceSpans) {
      for (const { spans } of scopeSpans) this.spans.push(...spans.map(readSpan));
    }
    this.points = resourceMetrics.flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) =>
        metrics.flatMap(({ name: metric, unit, sum, histogram }) =>
          (sum ?? histogram ?? { dataPoints: [] }).dataPoints.map((point) => ({
            ...{ metric, unit, attributes: valuesOf(point.attributes) },
            ...{ count: Number(point.asInt ?? point.asDouble ?? point.count), bounds: point.explicitBounds },
          })),
        ),
      ),
    );
  }
}

function readSpan(span: OtlpSpan): ReceivedSpan {
  const { name, kind, traceId, spanId, parentSpanId, links = [], events = [], status, traceState } = span;
  return {
    ...{ name, traceId, spanId, parentSpanId, traceState },
    kind: KINDS[kind] ?? "internal",
    startMs: Number(span.startTimeUnixNano) / 1e6,
    endMs: Number(span.endTimeUnixNano) / 1e6,
    attributes: valuesOf(span.attributes),
    links: links.map((link) => ({ ...link, attributes: valuesOf(link.attributes) })),
    error: status?.code === 2 ? status.message : undefined,
    events: events.map((event) => event.name),
  };
}

function valuesOf(attributes: readonly OtlpAttribute[]): Record<string, Value> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.boolValue ?? Number(value.intValue)]),
  );
}
