/**
 * Reads the partitions that this consumer owns. A read that waits at the server would deliver messages even after the ownership
 * has ended, so what waits here delivers nothing (XREAD), and what delivers does not wait, and asks who the owner is.
 */
import type { EntryId } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import type { StreamEntry } from "@redis-batch/core/internal/messages";

type ReadOptions = Parameters<StreamClient["xreadgroupMany"]>[0];
type Found = Awaited<ReturnType<StreamClient["xreadgroupMany"]>>[number];

export interface OwnedReadsOptions {
  readonly client: Pick<StreamClient, "readOwned" | "xread">;
  /** The token of this consumer's ownership of a stream; `undefined`: it does not own it. */
  readonly tokenOf: (stream: string) => number | undefined;
  /** A partition with this token belongs to another consumer, or to nobody. */
  readonly onLost: (stream: string, token: number) => void;
}

/** Takes the place of the client's own reads. */
export class OwnedReads implements Pick<StreamClient, "xreadgroupMany" | "xreadgroup"> {
  readonly #options: OwnedReadsOptions;

  constructor(options: OwnedReadsOptions) {
    this.#options = options;
  }

  async xreadgroup(
    { stream, ...options }: Omit<ReadOptions, "streams"> & { readonly stream: string },
    signal?: AbortSignal,
  ): Promise<readonly StreamEntry[]> {
    const [read] = await this.xreadgroupMany({ ...options, streams: [stream] }, signal);
    return read?.entries ?? [];
  }

  async xreadgroupMany(options: ReadOptions, signal?: AbortSignal): Promise<readonly Found[]> {
    const { streams, blockMs } = options;
    const positions = new Map<string, EntryId>();
    const found = await this.#readAll(options, streams, positions);
    if (found.length > 0 || blockMs === undefined || positions.size === 0 || signal?.aborted === true) return found;
    const ready = await this.#options.client.xread({ positions, blockMs }, signal);
    return ready.length === 0 ? [] : this.#readAll(options, ready, positions);
  }

  /** What there is now. Notes the positions of streams without new messages. */
  async #readAll(
    options: ReadOptions,
    streams: readonly string[],
    positions: Map<string, EntryId>,
  ): Promise<readonly Found[]> {
    const reads = await Promise.all(streams.map((stream) => this.#read(options, stream, positions)));
    return reads.filter(({ entries }) => entries.length > 0);
  }

  async #read(
    { group, consumer: member, count }: ReadOptions,
    stream: string,
    positions: Map<string, EntryId>,
  ): Promise<{ readonly stream: string; readonly entries: readonly StreamEntry[] }> {
    const { client, tokenOf, onLost } = this.#options;
    const token = tokenOf(stream);
    if (token === undefined) return { stream, entries: [] };
    const read = await client.readOwned({ stream, group, member, token, count });
    if (read === null) onLost(stream, token);
    else if (read.position !== null) positions.set(stream, read.position);
    return { stream, entries: read?.entries ?? [] };
  }
}
