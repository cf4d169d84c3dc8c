import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { deferred } from "@redis-batch/testing/time";

/**
 * Runs one of `scripts/fetch-….sh`; `what` is what it fetches, for messages.
 *
 * @throws {Error} with what it complained of, when it fails.
 */
export async function runFetchScript(
  what: string,
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const path = fileURLToPath(new URL(`../../scripts/${script}`, import.meta.url));
  const child = spawn("bash", [path, ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
  let complaints = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => {
    // The script's own line is progress; apt's are kept for the error.
    if (text.startsWith("redis-batch: ")) process.stderr.write(text);
    complaints += text;
  });
  const { promise, resolve, reject } = deferred<number | null>();
  child.once("error", reject);
  child.once("close", resolve);
  const code = await promise;
  if (code !== 0) throw new Error(`${what} could not be fetched from Debian (exit ${code}): ${complaints.trim()}`);
}
