import { useServer } from "@redis-batch/test-support";
import { Redis } from "ioredis-v5";
import { serverSettings } from "./conformance/server-setting.ts";
import { describeStreamClient } from "./conformance/stream-client.conformance.ts";

const redis = useServer();

describeStreamClient(
  "ioredis 5, lent",
  serverSettings(
    () => redis.server,
    () => new Redis({ ...redis.server.options, lazyConnect: true }),
  ),
);
