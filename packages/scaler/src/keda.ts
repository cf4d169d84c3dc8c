/** Scaling through KEDA: an external scaler over gRPC. */
export {
  KEDA_DEFAULTS,
  type KedaExecutorOptions,
  type KedaScalerOptions,
} from "./executors/keda/options.ts";
export { type KedaScaler, startKedaScaler } from "./executors/keda/scaler.ts";
export type { KedaTls } from "./executors/keda/spec.ts";
