import {
  commandExecutor,
  type Decision,
  type Executor,
  ProcessPool,
  type ProcessPoolEvent,
  Scaler,
  type ScalerEvent,
  webhookExecutor,
} from "@redis-batch/scaler";
import type { Invocation, Run } from "../command.ts";
import { findServer, withClient } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { encodeJson } from "../render/escape.ts";
import type { scaleRun } from "../table/scale.ts";
import { findGroup } from "./find-group.ts";
import { renderDecision, rowOf, scalingOf } from "./scale.ts";

type Call = Invocation<typeof scaleRun>;

export const run: Run<typeof scaleRun> = async (call) => {
  const { args, options, signal } = call;
  const { stream, group } = args;
  const executor = executorOf(call);
  // A name that is mistyped must not start anything.
  await withClient(call, (client) => findGroup(client, stream, group));
  const { redis, connectTimeoutMs, explain } = await findServer(call);
  const stop = new AbortController();
  const teller = new Teller(call, () => stop.abort());
  const scaler = new Scaler({
    ...{ redis, stream, group, connectTimeoutMs, observer: (event: ScalerEvent) => teller.take(event) },
    ...scalingOf(options.strategy, options),
  });
  try {
    await scaler.run({
      ...{ intervalMs: options.interval, signal: AbortSignal.any([signal, stop.signal]) },
      ...(executor === null ? {} : { executor }),
    });
  } catch (error) {
    throw explain(error);
  } finally {
    await scaler.close();
    if (executor instanceof ProcessPool) await executor.close();
  }
  if (teller.fault !== undefined) throw teller.fault;
};

/** Tells what is decided and done: people what is new, programs everything. */
class Teller {
  fault: Error | undefined;
  readonly #call: Call;
  readonly #stop: () => void;
  #last = "";

  constructor(call: Call, stop: () => void) {
    this.#call = call;
    this.#stop = stop;
  }

  take(event: ScalerEvent): void {
    const { terminal } = this.#call;
    switch (event.type) {
      case "decided":
        return this.#decided(event.decision);
      case "scaled":
        return terminal.note(`ordered: ${event.from} -> ${event.to} (${event.executor})`);
      case "scaleFailed":
        return terminal.note(`not ordered: ${event.error.message}; the next decision tries again`, "warn");
      case "passFailed":
        return terminal.note(`no decision: ${event.error.message}; trying again`, "warn");
      case "leading":
        return terminal.note("this scaler acts");
      case "following":
        return terminal.note("another scaler acts, this one follows");
      default:
        return;
    }
  }

  #decided(decision: Decision): void {
    const { options, terminal } = this.#call;
    const news = `${decision.direction} ${decision.desired} ${decision.binding}`;
    if (!options.json && news === this.#last) return;
    this.#last = news;
    terminal
      .write(options.json ? `${encodeJson(rowOf(decision))}\n` : renderDecision(decision))
      .catch((error: unknown) => {
        this.fault = error instanceof Error ? error : new Error("the decision could not be told");
        this.#stop();
      });
  }
}

function executorOf({ args, options, terminal }: Call): Executor | null {
  const [command, ...rest] = args.command;
  const needsCommand = options.executor === "process" || options.executor === "command";
  if (needsCommand !== (command !== undefined)) {
    throw new Failure(
      "usage",
      needsCommand
        ? `--executor ${options.executor} needs a command`
        : `--executor ${options.executor} runs no command`,
      needsCommand ? "write it behind --, such as -- node worker.js" : "leave it out, or choose process or command",
    );
  }
  if ((options.executor === "webhook") !== (options["webhook-url"] !== undefined)) {
    throw new Failure("usage", "--executor webhook and --webhook-url belong together");
  }
  switch (options.executor) {
    case "dry-run":
      return null;
    case "process":
      return new ProcessPool({
        ...{ command: command ?? "", args: rest, drainMs: options.drain },
        observer: (event) => terminal.note(describe(event)),
      });
    case "command":
      return commandExecutor({ command: command ?? "", args: rest });
    case "webhook": {
      const secret = terminal.env["REDIS_BATCH_WEBHOOK_SECRET"];
      return webhookExecutor({
        url: options["webhook-url"] ?? "",
        ...(secret === undefined || secret === "" ? {} : { secret }),
      });
    }
  }
}

function describe(event: ProcessPoolEvent): string {
  switch (event.type) {
    case "workerStarted":
      return `worker ${event.pid} was started`;
    case "workerDraining":
      return `worker ${event.pid} was told to end`;
    case "workerKilled":
      return `worker ${event.pid} did not end within ${event.afterMs} ms and is killed`;
    case "workerEnded":
      return `worker ${event.pid ?? "?"} has ended: ${event.reason}`;
    case "workerRestarting":
      return `a worker that ended by itself is replaced in ${Math.round(event.inMs)} ms`;
  }
}
