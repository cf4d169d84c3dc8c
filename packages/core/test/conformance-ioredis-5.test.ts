import { useServer } from "@redis-batch/test-support";
import { Redis } from "ioredis-v5";
import { serverSettings } from "./conformance/server-setting.ts";
import { describeStreamClient } from "./conformance/stream-client.conformance.ts";

const redis = useServer();

for (const decoder of ["own", "ioredis"] as const) {
  describeStreamClient(
    `ioredis 5, lent, decoder: ${decoder}`,
    serverSettings(
      () => redis.server,
      () => new Redis({ ...redis.server.options, lazyConnect: true }),
      { decoder },
    ),
  );
}
