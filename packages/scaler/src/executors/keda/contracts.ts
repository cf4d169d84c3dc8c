/**
 * The contracts of `proto/` as values, so that they also exist in a bundle, without files beside the program. A test
 * compares them with the files.
 */
/** As protobufjs writes them in JSON. */
export interface Contract {
  readonly nested: Readonly<Record<string, object>>;
}

const text = (id: number) => ({ type: "string", id });
const whole = (id: number) => ({ type: "int64", id });
const fraction = (id: number) => ({ type: "double", id });
const one = (type: string, id: number) => ({ type, id });
const many = (type: string, id: number) => ({ rule: "repeated", type, id });
const call = (requestType: string, responseType: string) => ({ requestType, responseType });
const stream = (requestType: string, responseType: string) => ({ requestType, responseType, responseStream: true });

export const EXTERNAL_SCALER: Contract = inPackage(["externalscaler"], {
  ExternalScaler: {
    methods: {
      IsActive: call("ScaledObjectRef", "IsActiveResponse"),
      StreamIsActive: stream("ScaledObjectRef", "IsActiveResponse"),
      GetMetricSpec: call("ScaledObjectRef", "GetMetricSpecResponse"),
      GetMetrics: call("GetMetricsRequest", "GetMetricsResponse"),
    },
  },
  ScaledObjectRef: {
    fields: { name: text(1), namespace: text(2), scalerMetadata: { keyType: "string", ...text(3) } },
  },
  IsActiveResponse: { fields: { result: one("bool", 1) } },
  GetMetricSpecResponse: { fields: { metricSpecs: many("MetricSpec", 1) } },
  MetricSpec: { fields: { metricName: text(1), targetSize: whole(2), targetSizeFloat: fraction(3) } },
  GetMetricsRequest: { fields: { scaledObjectRef: one("ScaledObjectRef", 1), metricName: text(2) } },
  GetMetricsResponse: { fields: { metricValues: many("MetricValue", 1) } },
  MetricValue: { fields: { metricName: text(1), metricValue: whole(2), metricValueFloat: fraction(3) } },
});

export const HEALTH: Contract = inPackage(["grpc", "health", "v1"], {
  Health: {
    methods: {
      Check: call("HealthCheckRequest", "HealthCheckResponse"),
      Watch: stream("HealthCheckRequest", "HealthCheckResponse"),
    },
  },
  HealthCheckRequest: { fields: { service: text(1) } },
  HealthCheckResponse: {
    fields: { status: one("ServingStatus", 1) },
    nested: { ServingStatus: { values: { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } } },
  },
});

function inPackage(names: readonly string[], nested: Contract["nested"]): Contract {
  return names.reduceRight<Contract>((inner, name) => ({ nested: { [name]: inner } }), { nested });
}
