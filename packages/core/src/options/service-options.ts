import { hashTag } from "../names/keys.ts";
import type { RedisSource } from "../redis/open-client.ts";
import type { Observer } from "../service/observer.ts";
import type { OptionsReader } from "./options-reader.ts";

/** What every service that connects takes. */
interface ServiceOptions<Event> {
  readonly redis: RedisSource;
  readonly observer?: Observer<Event> | undefined;
}

/** The same, complete and checked. */
interface ServicePolicy<Event> {
  readonly redis: RedisSource;
  readonly connectTimeoutMs: number;
  readonly observer: Observer<Event> | undefined;
}

/** Where a service connects to, for how long it tries to, and whom it tells. */
export function readService<Event>(
  reader: OptionsReader,
  { redis, observer }: ServiceOptions<Event>,
  defaults: { readonly connectTimeoutMs: number },
): ServicePolicy<Event> {
  if (!reader.has("redis")) reader.problem("redis is missing: a URL, ioredis options, or an ioredis client");
  return {
    redis,
    connectTimeoutMs: reader.integer("connectTimeoutMs", {
      default: defaults.connectTimeoutMs,
      min: 100,
      max: 600_000,
    }),
    observer: reader.callable("observer", observer),
  };
}

/** The name of a stream beside which other keys are kept. */
export function readStream(reader: OptionsReader): string {
  const stream = reader.name("stream");
  if (stream !== "") reader.collect(() => hashTag(stream), "");
  return stream;
}
