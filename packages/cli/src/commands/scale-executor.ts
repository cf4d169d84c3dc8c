/** The executors of `scale run`. */
import { CommandError, ConfigError, PermissionError } from "@redis-batch/core";
import {
  commandExecutor,
  type Executor,
  ProcessPool,
  type ProcessPoolEvent,
  webhookExecutor,
} from "@redis-batch/scaler";
import type { KedaTls } from "@redis-batch/scaler/keda";
import type { Invocation } from "../command.ts";
import { readPem } from "../connection/files.ts";
import { Failure } from "../failure.ts";
import type { scaleRun } from "../table/scale.ts";

type Call = Invocation<typeof scaleRun>;
type Options = Call["options"];
type ExecutorName = Options["executor"];

/** An executor with its resources, which are released with it. */
export interface OpenedExecutor extends AsyncDisposable {
  /** `null`: decisions are only printed. */
  readonly executor: Executor | null;
  /** Adds a fix to an error of the executor; errors of Redis pass unchanged. */
  readonly explain: (error: unknown) => unknown;
}

/** The limit of a pool. */
const MOST_WORKERS = 10_000;

/** Options that only some executors take. */
const BELONGS: Readonly<Partial<Record<keyof Options, readonly ExecutorName[]>>> = {
  workload: ["kubernetes", "keda"],
  namespace: ["kubernetes", "keda"],
  kubeconfig: ["kubernetes", "keda"],
  "kube-context": ["kubernetes", "keda"],
  "serve-cert": ["keda"],
  "serve-key": ["keda"],
  "serve-client-ca": ["keda"],
};

/** @throws {Failure} when the options contradict each other */
export function checkExecutor({ args, options }: Call): void {
  const { executor } = options;
  const needsCommand = executor === "process" || executor === "command";
  if (needsCommand !== args.command.length > 0) {
    throw new Failure(
      "usage",
      needsCommand ? `--executor ${executor} needs a command` : `--executor ${executor} takes no command`,
      needsCommand ? "write it after --, such as -- node worker.js" : "leave it out, or choose process or command",
    );
  }
  if ((executor === "webhook") !== (options["webhook-url"] !== undefined)) {
    throw new Failure("usage", "--executor webhook and --webhook-url belong together");
  }
  for (const [name, owners] of Object.entries(BELONGS)) {
    if (options[name as keyof Options] === undefined || owners.includes(executor)) continue;
    throw new Failure("usage", `--${name} is for --executor ${owners.join(" or ")}, not for ${executor}`);
  }
  if (options.workload === undefined && executor === "kubernetes") {
    throw new Failure("usage", "--executor kubernetes needs --workload", "the name of the Deployment or StatefulSet");
  }
  for (const name of ["namespace", "kubeconfig", "kube-context"] as const) {
    if (options.workload === undefined && options[name] !== undefined) {
      throw new Failure("usage", `--${name} needs --workload`);
    }
  }
  const hasCert = options["serve-cert"] !== undefined;
  if (hasCert !== (options["serve-key"] !== undefined) || (options["serve-client-ca"] !== undefined && !hasCert)) {
    throw new Failure("usage", "--serve-cert and --serve-key belong together, and --serve-client-ca needs both");
  }
}

/**
 * Creates the executor. Libraries that only one executor needs are loaded for that one.
 *
 * @throws {Failure} when a library is not installed, naming it
 * @throws {ConfigError} when an option is not usable
 */
export async function openExecutor(call: Call): Promise<OpenedExecutor> {
  try {
    return await open(call);
  } catch (error) {
    const [, missing] = (ConfigError.is(error) && /npm install ((?:@[\w-]+\/[\w-]+ ?)+)/.exec(error.message)) || [];
    if (missing === undefined || !(error instanceof Error)) throw error;
    const names = missing.trim().split(" ");
    throw new Failure(
      "usage",
      error.message,
      `install it beside this program: npm install --global @redis-batch/cli ${names.join(" ")}, or npx ${["@redis-batch/cli", ...names].map((name) => `-p ${name}`).join(" ")} redis-batch …`,
    );
  }
}

async function open(call: Call): Promise<OpenedExecutor> {
  const { args, options, terminal } = call;
  const [command = "", ...rest] = args.command;
  switch (options.executor) {
    case "dry-run":
      return handsOf(null);
    case "process": {
      const pool = new ProcessPool({
        ...{ command, args: rest, drainMs: options.drain },
        ...(options.max === undefined ? {} : { maxWorkers: Math.min(options.max, MOST_WORKERS) }),
        observer: (event) => terminal.note(describe(event)),
      });
      return handsOf(pool, () => pool.close());
    }
    case "command":
      return handsOf(commandExecutor({ command, args: rest }));
    case "webhook": {
      const secret = terminal.env["REDIS_BATCH_WEBHOOK_SECRET"];
      return handsOf(
        webhookExecutor({
          url: options["webhook-url"] ?? "",
          ...(secret === undefined || secret === "" ? {} : { secret }),
        }),
      );
    }
    case "kubernetes":
      return ofCluster(options, await kubernetes(options, terminal.env));
    case "keda":
      return keda(call);
  }
}

const handsOf = (executor: Executor | null, close = async (): Promise<void> => {}): OpenedExecutor => ({
  executor,
  explain: (error) => error,
  [Symbol.asyncDispose]: close,
});

async function kubernetes(options: Options, env: Invocation["terminal"]["env"]): Promise<Executor> {
  const { inCluster, kubeconfig, kubernetesExecutor } = await import("@redis-batch/scaler/kubernetes");
  const { kubeconfig: file, "kube-context": context, namespace } = options;
  const isPod = file === undefined && context === undefined && (env["KUBERNETES_SERVICE_HOST"] ?? "") !== "";
  const access = isPod
    ? inCluster()
    : await kubeconfig({ ...(file !== undefined && { file }), ...(context !== undefined && { context }) });
  return kubernetesExecutor({
    ...{ access, name: options.workload ?? "", workload: options["workload-kind"] },
    ...(namespace !== undefined && { namespace }),
  });
}

/** The cluster's errors have the same classes as those of Redis, but need other fixes. */
function ofCluster(options: Options, executor: Executor): OpenedExecutor {
  const failures = new Set<unknown>();
  const remember = (error: unknown): never => {
    failures.add(error);
    throw error;
  };
  const resource = `${options["workload-kind"].toLowerCase()}s`;
  const where = options.namespace === undefined ? "" : ` -n ${options.namespace}`;
  return {
    ...handsOf({ ...executor, status: (...given) => executor.status(...given).catch(remember) }),
    explain(error) {
      if (!failures.has(error)) return error;
      if (PermissionError.is(error)) {
        return new Failure(
          "denied",
          error.message,
          `\`kubectl auth can-i patch ${resource}/${options.workload ?? ""} --subresource=scale${where}\` shows whether it is allowed`,
        );
      }
      if (CommandError.is(error) && error.reply === "NotFound") {
        return new Failure("missing", error.message, `\`kubectl get ${resource}${where}\` lists the existing ones`);
      }
      return error;
    },
  };
}

async function keda({ args, options, terminal }: Call): Promise<OpenedExecutor> {
  const { stream, group } = args;
  const { startKedaScaler } = await import("@redis-batch/scaler/keda");
  const cluster = options.workload === undefined ? null : ofCluster(options, await kubernetes(options, terminal.env));
  const workforce = cluster?.executor ?? null;
  const tls = tlsOf(options);
  const { port, host } = options;
  const server = await startKedaScaler({ port, host, ...(tls !== null && { tls }) });
  terminal.note(`listening for KEDA on ${host}, port ${server.port}`);
  const executor = server.executor({ stream, group, ...(workforce !== null && { workforce }) });
  const hands = handsOf(executor, () => server.close());
  return cluster === null ? hands : { ...hands, explain: cluster.explain };
}

function tlsOf(options: Options): KedaTls | null {
  const { "serve-cert": cert, "serve-key": key, "serve-client-ca": clientCa } = options;
  if (cert === undefined || key === undefined) return null;
  return { cert: readPem(cert), key: readPem(key), ...(clientCa !== undefined && { clientCa: readPem(clientCa) }) };
}

function describe(event: ProcessPoolEvent): string {
  switch (event.type) {
    case "workerStarted":
      return `worker ${event.pid} started`;
    case "workerDraining":
      return `worker ${event.pid} was asked to stop`;
    case "workerKilled":
      return `worker ${event.pid} did not stop within ${event.afterMs} ms: killing it`;
    case "workerEnded":
      return `worker ${event.pid ?? "?"} ended: ${event.reason}`;
    case "workerRestarting":
      return `replacing a worker that ended by itself, in ${Math.round(event.inMs)} ms`;
    case "unguarded":
      return `if this process is killed, its workers keep running: there is no shell to stop them (${event.reason})`;
  }
}
