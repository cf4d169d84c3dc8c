/** Two processes that only watch: the canary watches the machine, the witness the group's pending list. */
import { join } from "node:path";
import { runWorker, type WorkerProcess } from "@redis-batch/test-support";
import { type CanaryLine, readJournal, type WitnessLine } from "./journal.ts";
import type { CanaryTask, WitnessTask } from "./tasks.ts";
import type { Servers } from "./topology/find-master.ts";

export const CANARY_PACE = { everyMs: 20, tolerableMs: 30 };
const WITNESS_EVERY_MS = 150;

export class Onlookers implements AsyncDisposable {
  readonly #folder: string;
  readonly #processes: readonly WorkerProcess[];

  private constructor(folder: string, processes: readonly WorkerProcess[]) {
    this.#folder = folder;
    this.#processes = processes;
  }

  static async start(
    { kind, nodes, sentinels }: Servers,
    {
      streams,
      group,
      folder,
    }: { readonly streams: readonly string[]; readonly group: string; readonly folder: string },
  ): Promise<Onlookers> {
    const canary: CanaryTask = { journal: join(folder, CANARY), everyMs: CANARY_PACE.everyMs };
    const witness: WitnessTask = {
      ...{ kind, nodes: nodes.map(({ url }) => url), sentinels: sentinels.map(({ url }) => url) },
      ...{ streams, group, journal: join(folder, WITNESS), everyMs: WITNESS_EVERY_MS },
    };
    const run = (script: string, task: unknown): Promise<WorkerProcess> =>
      runWorker(new URL(script, import.meta.url), { args: [JSON.stringify(task)] });
    return new Onlookers(
      folder,
      await Promise.all([run("canary-process.ts", canary), run("witness-process.ts", witness)]),
    );
  }

  /** Ends them → what is wrong with how they ended. */
  async end(): Promise<readonly string[]> {
    const problems = await Promise.all(
      this.#processes.map(async (process) => {
        process.kill("SIGTERM");
        const { code, signal } = await process.exited;
        return code === 0 || signal === "SIGTERM"
          ? []
          : [`an onlooker ended with ${code ?? signal}: ${process.stderr}`];
      }),
    );
    return problems.flat();
  }

  /** When the canary's timer went off. */
  readTicks(): readonly number[] {
    return readJournal<CanaryLine>(join(this.#folder, CANARY)).map(({ t }) => t);
  }

  readOwners(): readonly WitnessLine[] {
    return readJournal<WitnessLine>(join(this.#folder, WITNESS));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) await process[Symbol.asyncDispose]();
  }
}

const CANARY = "canary.ndjson";
const WITNESS = "witness.ndjson";
