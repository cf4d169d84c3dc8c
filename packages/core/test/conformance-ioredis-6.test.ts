import { useServer } from "@redis-batch/test-support";
import { serverSettings } from "./conformance/server-setting.ts";
import { describeStreamClient } from "./conformance/stream-client.conformance.ts";

const redis = useServer();

for (const decoder of ["own", "ioredis"] as const) {
  describeStreamClient(
    `ioredis 6, decoder: ${decoder}`,
    serverSettings(
      () => redis.server,
      () => redis.server.url,
      { decoder },
    ),
  );
}
