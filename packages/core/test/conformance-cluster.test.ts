import { startCluster, useServers } from "@redis-batch/test-support";
import { Cluster } from "ioredis";
import { serverSettings } from "./conformance/server-setting.ts";
import { describeStreamClient } from "./conformance/stream-client.conformance.ts";

const cluster = useServers((source) => startCluster({ source, primaries: 2 }));

describeStreamClient(
  "a Cluster of ioredis 6, lent",
  serverSettings(
    () => {
      const [node] = cluster.servers.primaries;
      if (node === undefined) throw new Error("a cluster without nodes");
      return node;
    },
    () => new Cluster(cluster.servers.startupNodes, { lazyConnect: true }),
  ),
  { endsReadsEarly: false },
);
