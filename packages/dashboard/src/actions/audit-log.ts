/** Writes what people do here beside the group, where the scaler writes its orders. */
import { RedisBatchError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { groupKey } from "@redis-batch/core/internal/names";

interface Address {
  readonly stream: string;
  readonly group: string;
}

export class AuditLog {
  readonly #client: Pick<StreamClient, "xaddMany">;
  readonly #length: number;

  /** @param length how many entries it keeps, about */
  constructor(client: Pick<StreamClient, "xaddMany">, length: number) {
    this.#client = client;
    this.#length = length;
  }

  /** @throws {RedisBatchError} when the log cannot be written */
  async write({ stream, group }: Address, fields: Readonly<Record<string, string>>): Promise<void> {
    const entry = { v: "1", ...fields };
    const trim = { strategy: "maxLen", threshold: this.#length, approximate: true } as const;
    const [outcome] = await this.#client.xaddMany([
      { stream: groupKey("audit", stream, group), fields: Object.entries(entry).flat(), trim },
    ]);
    if (RedisBatchError.is(outcome)) throw outcome;
  }
}
