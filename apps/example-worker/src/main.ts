/** The worker: reads commits from a Redis Stream in batches and stores each batch in a database. See the README. */
import { readFile } from "node:fs/promises";
import { ConfigError, Consumer, type CredentialsFunction, logObserver } from "@redis-batch/consumer";
import { createBatchHandler } from "./batch-handler.ts";
import { type Config, readConfig } from "./config.ts";
import { createLog } from "./log.ts";
import { openStore } from "./open-store.ts";
import { startProbes } from "./probes.ts";
import { stopOnSignals } from "./signals.ts";

const EXIT_FAILED = 1;
const EXIT_BAD_CONFIG = 2;

const log = createLog((line) => process.stdout.write(line));

try {
  await work(readConfig(process.env));
} catch (error) {
  if (ConfigError.is(error)) log("error", "badConfig", { problems: error.problems });
  else log("error", "ended", { reason: error });
  process.exitCode = ConfigError.is(error) ? EXIT_BAD_CONFIG : EXIT_FAILED;
}

async function work(config: Config): Promise<void> {
  const { redisUrl, redisPasswordFile, streams, partitions, database, probes, ...settings } = config;
  const stop = stopOnSignals(log);
  const observer = logObserver(
    (level, _message, { event, ...fields }) => {
      // They come with each batch, for which the handler logs a line.
      if (level !== "debug") log(level, String(event), fields);
    },
    { levels: { handlerFailed: "error", streamFailed: "error", keysMissing: "error" } },
  );
  // Closed in reverse order: the probes answer until the last batch is stored.
  const credentials = redisPasswordFile === undefined ? undefined : passwordFrom(redisPasswordFile);
  const source = partitions === undefined ? { streams } : { stream: streams[0], partitions };
  await using consumer = new Consumer({ redis: redisUrl, credentials, ...source, ...settings, observer });
  await using probing = await startProbes(probes, () => consumer.health());
  log("info", "probing", { host: probes.host, port: probing.port });
  await using store = await openStore(database, log);
  await consumer.run(createBatchHandler(store, log), { signal: stop });
}

/** Reads the password again before each connection, so that it can be replaced without a restart. */
function passwordFrom(path: string): CredentialsFunction {
  return async () => ({ password: (await readFile(path, "utf8")).trim() });
}
