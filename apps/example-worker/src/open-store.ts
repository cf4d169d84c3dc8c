import type { DatabaseConfig } from "./config.ts";
import type { Log } from "./log.ts";
import type { CommitStore } from "./store.ts";

/** Opens the database and creates its table if it is missing. Loads only the driver that is needed. */
export async function openStore(database: DatabaseConfig, log: Log): Promise<CommitStore> {
  switch (database.kind) {
    case "sqlite": {
      const { SqliteStore } = await import("./sqlite-store.ts");
      return SqliteStore.open(database.path);
    }
    case "postgres": {
      const { PostgresStore } = await import("./postgres-store.ts");
      return PostgresStore.open(database.url, (error) =>
        log("warn", "databaseDisconnected", { reason: error.message }),
      );
    }
  }
}
