import type { Policy } from "../policy.ts";
import { kedaExpert, kedaLag, kedaPending } from "./keda.ts";
import { maximum } from "./maximum.ts";
import { oracle } from "./oracle.ts";
import { ratio, throughput } from "./ours.ts";
import { throughKeda } from "./through-keda.ts";

/**
 * All that are compared, ours first, `"oracle"`, which knows the future, last. KEDA and the HorizontalPodAutoscaler are
 * rebuilt from their sources and documentation, not run.
 */
export const POLICIES: readonly Policy[] = [
  throughput,
  throughKeda,
  ratio,
  kedaLag,
  kedaPending,
  kedaExpert,
  maximum,
  oracle,
];
