import type { Handler } from "@redis-batch/consumer";
import { parseCommit } from "./commit.ts";
import type { Log } from "./log.ts";
import type { CommitStore, StoredCommit } from "./store.ts";

/**
 * Stores each batch in one transaction, then acknowledges it. After a crash in between, the batch is redelivered, and the
 * store recognises its messages by stream and id. An invalid message goes to the dead letters, and the others are stored.
 * If the database fails, the store throws: the rest of the batch is redelivered after a growing delay.
 */
export function createBatchHandler(store: CommitStore, log: Log): Handler<Readonly<Record<string, string>>> {
  return async (batch) => {
    const startedMs = performance.now();
    const commits: StoredCommit[] = [];
    for (const message of batch) {
      const parsed = parseCommit(message.fields);
      if (parsed.kind === "commit") {
        commits.push({ stream: message.stream, messageId: message.id, ...parsed.commit });
      } else {
        log("warn", "unreadable", { stream: message.stream, messageId: message.id, problems: parsed.problems });
        message.deadLetter(parsed.problems.join("; "));
      }
    }
    if (commits.length > 0) {
      const added = await store.save(commits);
      log("info", "stored", {
        stream: batch.stream,
        messages: commits.length,
        added,
        ms: Math.round(performance.now() - startedMs),
      });
    }
    // Messages that went to the dead letters already have an outcome.
    batch.ack();
  };
}
