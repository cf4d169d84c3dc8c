import { useServer } from "@redis-batch/test-support";
import { serverSettings } from "./conformance/server-setting.ts";
import { describeStreamClient } from "./conformance/stream-client.conformance.ts";

const redis = useServer();

describeStreamClient(
  "ioredis 6",
  serverSettings(
    () => redis.server,
    () => redis.server.url,
  ),
);
