import { CONSUMER_SPEC } from "@redis-batch/consumer/spec";
import { flagOf } from "./flag-of.ts";
import { defineOptions, type OptionValues } from "./spec.ts";

/** For every command that connects to a server. */
export const CONNECTION_OPTIONS = defineOptions({
  url: {
    kind: "text",
    value: "url",
    about:
      "redis://[user@]host:port/db, unix:///path, redis+sentinel://host,host/mymaster or redis+cluster://host,host; rediss… for TLS; without a password",
  },
  context: { kind: "text", value: "name", about: "a connection saved with `context add`" },
  user: { kind: "text", value: "name", about: "the ACL user" },
  "password-file": { kind: "text", value: "path", about: "a file whose first line is the password" },
  "ask-password": { kind: "flag", about: "ask for the password on the terminal" },
  sentinel: {
    kind: "text",
    value: "host:port,…",
    about: "find the server through these Sentinels; the same as --url redis+sentinel://…",
  },
  "sentinel-name": { kind: "text", value: "name", about: "the server's name at the Sentinels; default: mymaster" },
  cluster: { kind: "flag", about: "the server of --url is a node of a Cluster; the same as redis+cluster://…" },
  "tls-ca": {
    kind: "text",
    value: "path",
    about: "CA certificates that must have signed the server's certificate; implies TLS",
  },
  "tls-cert": { kind: "text", value: "path", about: "client certificate; implies TLS" },
  "tls-key": { kind: "text", value: "path", about: "private key of the client certificate" },
  "connect-timeout": flagOf(CONSUMER_SPEC.connectTimeoutMs, {
    default: "10s",
    about: "how long to wait for a connection",
  }),
});

/** For every command. */
export const COMMON_OPTIONS = defineOptions({
  json: { kind: "flag", about: "JSON instead of a table, with the same content; errors as well. The same as -o json" },
  output: {
    kind: "choice",
    short: "o",
    choices: ["table", "wide", "json", "ndjson"],
    default: "table",
    about: "table, as wide as the terminal; wide, where nothing is cut; json; ndjson, a line for each row",
  },
  quiet: { kind: "flag", short: "q", about: "no notes and no progress on standard error, only errors" },
  "no-color": { kind: "flag", about: "no colours, as the variable NO_COLOR says" },
  help: { kind: "flag", short: "h", about: "show this help" },
});

export type GlobalOptions = OptionValues<typeof CONNECTION_OPTIONS> & OptionValues<typeof COMMON_OPTIONS>;
