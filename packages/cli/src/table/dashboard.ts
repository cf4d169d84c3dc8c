import { DASHBOARD_SERVER_SPEC, DASHBOARD_SPEC } from "@redis-batch/dashboard/spec";
import { flagOf } from "../command-line/flag-of.ts";
import { defineCommand } from "../command-line/spec.ts";

export const dashboard = defineCommand({
  path: ["dashboard"],
  summary: "Show all groups in the browser, live",
  about: [
    "Serves a web page: every group, the worst first, with charts, consumers, pending messages, dead letters, and the orders of the scaler. Without streams it shows all that SCAN finds. It listens on this machine only, and only shows; --allow-actions lets people redrive and discard dead letters, and records who did it.",
    "For other machines, say who may come in: --tokens-file, with a name and a token of at least 16 characters in each line, or --user-header for a proxy that signs people in. Put TLS in front, because tokens are sent as they are.",
  ],
  args: [
    {
      name: "stream",
      isName: true,
      about: "the streams to show",
      optional: true,
      many: true,
      forSeveral: "leave spaces between them",
    },
  ],
  options: {
    port: flagOf(DASHBOARD_SERVER_SPEC.port),
    host: flagOf(DASHBOARD_SERVER_SPEC.host, {
      ...{
        value: "address",
        about: "address to listen on; others than this machine's need --tokens-file or --user-header",
      },
    }),
    hosts: {
      ...{ kind: "text", value: "names", about: "host names under which it is reached, beside localhost, with commas" },
    },
    prefix: flagOf(DASHBOARD_SPEC.prefix, {
      ...{ value: "path", about: "path under which a proxy passes requests on, such as /queues" },
    }),
    interval: flagOf(DASHBOARD_SPEC.intervalMs),
    "allow-actions": flagOf(DASHBOARD_SPEC.allowActions),
    "tokens-file": { kind: "text", value: "path", about: "a file with a name and a token in each line" },
    "user-header": flagOf(DASHBOARD_SPEC.userHeader, {
      ...{ value: "name", about: "header in which a trusted proxy says who somebody is" },
    }),
    operators: { kind: "text", value: "names", about: "the people who may act, with commas; the others only look" },
    mask: {
      ...{
        kind: "text",
        value: "fields",
        about: "fields whose values are never shown, with commas; * hides all of them",
      },
    },
  },
  examples: [
    { line: "redis-batch dashboard", does: "all streams, on http://127.0.0.1:9473" },
    { line: "redis-batch dashboard orders mails --allow-actions --mask email,iban", does: "two streams, and redrives" },
    {
      line: "redis-batch dashboard --host 0.0.0.0 --hosts ops.example.com --tokens-file people.txt",
      does: "for a team, behind TLS",
    },
  ],
  connects: true,
  drains: true,
});
