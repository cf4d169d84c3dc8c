/** Scales a Kubernetes workload: sets the replicas of its scale subresource. */

import { ServerStateError } from "@redis-batch/core";
import { type DefaultsOf, defaultsOf, type OptionsOf, OptionsReader } from "@redis-batch/core/internal/options";
import { systemClock } from "@redis-batch/core/internal/service";
import type { Decision } from "../../decisions/decision.ts";
import type { Executor, Workforce } from "../../executor.ts";
import { type ClusterAccess, inCluster } from "./access.ts";
import { parseScale, type Question, type Scale } from "./answer.ts";
import { ApiClient } from "./api-client.ts";
import { KUBERNETES_SPEC } from "./spec.ts";
import { isNamespaceName, isObjectName, resourceOf, type ScalableResource, scalePath } from "./workload.ts";

export interface KubernetesExecutorOptions extends OptionsOf<typeof KUBERNETES_SPEC> {}

/** The values of options that are not given. */
export const KUBERNETES_DEFAULTS: DefaultsOf<typeof KUBERNETES_SPEC> = defaultsOf(KUBERNETES_SPEC);

// Status updates also change the version; while pods start they are frequent.
const ATTEMPTS = 5;

/**
 * An executor that sets the number of replicas of a workload. It only needs the rights `get` and `patch` on the scale
 * subresource of that one name. It never overwrites a change that was made since the decision. When a pod is terminated,
 * its consumer finishes or releases its messages, if `terminationGracePeriodSeconds` is long enough. Nothing else may
 * scale the same workload: no HorizontalPodAutoscaler, no ScaledObject.
 *
 * The constructor sends nothing.
 *
 * @throws {ConfigError} naming every problem; outside a cluster, when there is no `access`
 */
export function kubernetesExecutor(options: KubernetesExecutorOptions): Executor {
  const { access, requestTimeoutMs, ...policy } = resolveKubernetesOptions(options);
  const api = new ApiClient({ access, timeoutMs: requestTimeoutMs, clock: systemClock });
  const { resource } = policy.workload;
  const place = async () => {
    const namespace = policy.namespace ?? (await access.namespace());
    const subject = { resource: `${resource}/scale`, namespace, name: policy.name };
    return { subject, path: scalePath(policy.workload, namespace, policy.name) };
  };
  const read = async (signal: AbortSignal): Promise<Scale> => {
    const { subject, path } = await place();
    const question: Question = { verb: "get", ...subject };
    return parseScale(await api.ask({ question, path }, signal), question);
  };
  const write = async (scale: Scale, replicas: number, signal: AbortSignal): Promise<void> => {
    const { subject, path } = await place();
    const { resourceVersion } = scale;
    const patch = { metadata: { resourceVersion }, spec: { replicas } };
    await api.ask({ question: { verb: "patch", ...subject }, path, patch }, signal);
  };

  return {
    name: `kubernetes ${resource}/${policy.name}`,

    async status(signal: AbortSignal): Promise<Workforce> {
      const { replicas } = await read(signal);
      // A Scale does not say which pods are ready; the consumers report that themselves.
      return { desired: replicas, ready: null, startingMs: [], startUpsMs: [] };
    },

    async scale({ current, desired }: Decision, signal: AbortSignal): Promise<void> {
      for (let attempt = 1; ; attempt++) {
        const scale = await read(signal);
        if (scale.replicas === desired) return;
        if (scale.replicas !== current) {
          throw new ServerStateError(
            `${policy.name} was set to ${scale.replicas} replicas by something else during the decision to go from ${current} to ${desired}, so nothing was changed; check for a second autoscaler`,
            { state: "Conflict" },
          );
        }
        try {
          return await write(scale, desired, signal);
        } catch (error) {
          const isConflict = ServerStateError.is(error) && error.state === "Conflict";
          if (!isConflict || attempt === ATTEMPTS) throw error;
        }
      }
    },
  };
}

function resolveKubernetesOptions(options: KubernetesExecutorOptions) {
  const reader = new OptionsReader("kubernetesExecutor", options, Object.keys(KUBERNETES_SPEC));
  const {
    workload,
    namespace = null,
    ...given
  } = reader.read(KUBERNETES_SPEC, {
    name: (name) => (isObjectName(name) ? undefined : "be a Kubernetes name: a-z, 0-9, - and ."),
    namespace: (name) => (isNamespaceName(name) ? undefined : "be a Kubernetes name: a-z, 0-9 and -"),
    workload: (kind) =>
      resourceOf(kind) === undefined
        ? 'be "Deployment", "StatefulSet", or { group, version, resource } of a resource with a scale subresource'
        : undefined,
  });
  const access = given.access ?? reader.collect<ClusterAccess | undefined>(() => inCluster(), undefined);
  const policy = reader.finish({ ...given, namespace, workload: resourceOf(workload), access });
  // Without a resource or an access there was a problem, and finish() has thrown.
  return { ...policy, workload: policy.workload as ScalableResource, access: access as ClusterAccess };
}
