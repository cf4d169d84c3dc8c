/** The scaled workload: anything with a scale subresource. */
import type { OptionsReader } from "@redis-batch/core/internal/options";

/** A resource with a scale subresource, by its definition. */
export interface ScalableResource {
  /** Such as `argoproj.io`. */
  readonly group: string;
  /** Such as `v1alpha1`. */
  readonly version: string;
  /** In the plural, as in URLs and roles: `rollouts`. */
  readonly resource: string;
}

export type WorkloadKind = "Deployment" | "StatefulSet";

const WORKLOADS: Readonly<Record<WorkloadKind, ScalableResource>> = {
  Deployment: { group: "apps", version: "v1", resource: "deployments" },
  StatefulSet: { group: "apps", version: "v1", resource: "statefulsets" },
};

// The characters that Kubernetes allows in names: none can be taken as another part of a path.
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

export const isNamespaceName = (value: string): boolean => LABEL.test(value);
export const isObjectName = (value: string): boolean => SUBDOMAIN.test(value);

/** Reads the option `workload`. */
export function readWorkload(
  reader: OptionsReader,
  workload: WorkloadKind | ScalableResource | undefined,
): ScalableResource {
  if (workload === undefined) return WORKLOADS.Deployment;
  if (typeof workload === "string" && Object.hasOwn(WORKLOADS, workload)) return WORKLOADS[workload];
  if (typeof workload === "object" && workload !== null) {
    const { group, version, resource } = workload;
    if (SUBDOMAIN.test(group) && LABEL.test(version) && LABEL.test(resource)) return { group, version, resource };
  }
  reader.problem(
    'workload must be "Deployment", "StatefulSet", or { group, version, resource } of a resource with a scale subresource',
  );
  return WORKLOADS.Deployment;
}

/** The path of its scale subresource. */
export function scalePath({ group, version, resource }: ScalableResource, namespace: string, name: string): string {
  return `/apis/${group}/${version}/namespaces/${namespace}/${resource}/${name}/scale`;
}
