// What a TypeScript user of the package sees; compiled against the packed declarations by several compilers.
import { type Decision, type Executor, Scaler, type ScalerOptions } from "@redis-batch/scaler";
import { startKedaScaler } from "@redis-batch/scaler/keda";
import { inCluster, kubernetesExecutor } from "@redis-batch/scaler/kubernetes";
import { create } from "./types.cjs";

const options = { redis: "redis://localhost", stream: "orders", group: "billing" };

/** How many consumers, and why. */
export async function decide(): Promise<readonly [number, string]> {
  const scaler = new Scaler(options);
  const { desired, reason }: Decision = await scaler.decide();
  await scaler.close();
  return [desired, reason];
}

/** Those who carry it out; neither needs what is not installed to be understood. */
export async function executors(): Promise<readonly Executor[]> {
  const keda = await startKedaScaler({ port: 6_000 });
  return [
    keda.executor({ stream: "orders", group: "billing" }),
    kubernetesExecutor({ name: "w", access: inCluster() }),
  ];
}

// One class, whichever way it is loaded.
export const created: Scaler = create();

// Declarations that could not be resolved would be `any`, and allow this.
// @ts-expect-error maxConsumers is a number
export const wrong = (): unknown => new Scaler({ ...options, maxConsumers: "many" });

// With exactOptionalPropertyTypes: an option may be given as undefined, as process.env has it.
type Unset<Options> = {
  [Name in keyof Options]: object extends Pick<Options, Name> ? Options[Name] | undefined : Options[Name];
};
export const unset = (given: Unset<ScalerOptions>): ScalerOptions => given;
