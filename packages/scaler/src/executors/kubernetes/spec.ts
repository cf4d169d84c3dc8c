/** The options of the executor for Kubernetes. Each is written here, and nowhere else. */
import type { OptionSpecs } from "@redis-batch/core/internal/options";
import type { ClusterAccess } from "./access.ts";
import type { ScalableResource, WorkloadKind } from "./workload.ts";

export const KUBERNETES_SPEC = {
  /** The workload's name. */
  name: { kind: "text", required: true, about: "the workload's name" },
  /** Its namespace. Default: the namespace of the access. */
  namespace: { kind: "text", otherwise: "that of `access`", about: "the workload's namespace" },
  /** Its kind: `"Deployment"` (default), `"StatefulSet"`, or any other resource that has a scale subresource. */
  workload: {
    ...{ kind: "own", value: {} as WorkloadKind | ScalableResource, default: "Deployment" },
    about:
      'kind of the workload: `"Deployment"`, `"StatefulSet"`, or `{ group, version, resource }` of another resource',
  },
  /** Maximum time of one request, in milliseconds, 100 to 600,000. Default 10,000. */
  requestTimeoutMs: {
    ...{ kind: "milliseconds", min: 100, max: 600_000, default: 10_000 },
    about: "maximum time of one request",
  },
  /** The API server and the credentials. Default: `inCluster()`, this pod's service account. */
  access: {
    ...{ kind: "own", value: {} as ClusterAccess, otherwise: "`inCluster()`, the pod's service account" },
    about:
      "cluster and credentials; `await kubeconfig({ file, context })` needs `@kubernetes/client-node` and Node 22.15 or newer",
  },
} as const satisfies OptionSpecs;
