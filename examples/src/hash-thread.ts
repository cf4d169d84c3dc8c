/** The thread of worker-threads.ts: a batch in, its results out. */
import { pbkdf2Sync } from "node:crypto";
import { parentPort } from "node:worker_threads";

parentPort?.on("message", (passwords: readonly string[]) => {
  parentPort?.postMessage(passwords.map((each) => pbkdf2Sync(each, "salt", 200_000, 32, "sha512").toString("hex")));
});
