import type { Handler, Message } from "@redis-batch/consumer";
import { parseCommit } from "./commit.ts";
import type { Log } from "./log.ts";
import type { CommitStore, StoredCommit } from "./store.ts";

type Fields = Readonly<Record<string, string>>;

/**
 * Stores each batch in one transaction, then acknowledges it. A crash in between has the batch delivered again, and the
 * store knows its messages by their ids. A message that cannot be read is logged and left unacknowledged; it does not
 * keep the others from being stored. A database that fails throws: the whole batch comes again, after a growing delay.
 */
export function createBatchHandler(store: CommitStore, log: Log): Handler<Fields> {
  return async (batch) => {
    const startedMs = performance.now();
    const readable: Message<Fields>[] = [];
    const commits: StoredCommit[] = [];
    for (const message of batch) {
      const { id: messageId, deliveries } = message;
      const parsed = parseCommit(message.fields);
      if (parsed.kind === "commit") {
        readable.push(message);
        commits.push({ messageId, ...parsed.commit });
      } else {
        log("warn", "unreadable", { messageId, deliveries, problems: parsed.problems });
      }
    }
    if (commits.length > 0) {
      const added = await store.save(commits);
      log("info", "stored", { messages: commits.length, added, ms: Math.round(performance.now() - startedMs) });
    }
    return { ack: readable };
  };
}
