/** Scaling a workload of a Kubernetes cluster. */
export {
  type ClusterAccess,
  type Credentials,
  type InClusterOptions,
  inCluster,
  type TlsOptions,
} from "./executors/kubernetes/access.ts";
export {
  KUBERNETES_DEFAULTS,
  type KubernetesExecutorOptions,
  kubernetesExecutor,
} from "./executors/kubernetes/executor.ts";
export { type KubeconfigOptions, kubeconfig } from "./executors/kubernetes/kubeconfig.ts";
export type { ScalableResource, WorkloadKind } from "./executors/kubernetes/workload.ts";
