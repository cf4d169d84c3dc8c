/** The scaled workload: anything with a scale subresource. */

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

/** What a workload is scaled by; `undefined` if it is not a resource. */
export function resourceOf(workload: WorkloadKind | ScalableResource): ScalableResource | undefined {
  if (typeof workload === "string") return Object.hasOwn(WORKLOADS, workload) ? WORKLOADS[workload] : undefined;
  const { group, version, resource } = workload;
  const isOne = SUBDOMAIN.test(group) && LABEL.test(version) && LABEL.test(resource);
  return isOne ? { group, version, resource } : undefined;
}

/** The path of its scale subresource. */
export function scalePath({ group, version, resource }: ScalableResource, namespace: string, name: string): string {
  return `/apis/${group}/${version}/namespaces/${namespace}/${resource}/${name}/scale`;
}
