/**
 * The options of a dashboard, and of its server. Each is written here, and nowhere else. Also the door to all options of
 * this package as data, only open in the workspace.
 */
import type { CredentialsFunction, Observer } from "@redis-batch/core";
import type { OptionSpecs } from "@redis-batch/core/internal/options";
import type { DashboardEvent } from "./events.ts";

export const DASHBOARD_SPEC = {
  redis: { kind: "redis" },
  /**
   * Returns user, password or certificates; may be asynchronous. It is called before each connection, so what is rotated
   * takes effect without a restart. Default: those of `redis`.
   */
  credentials: {
    ...{ kind: "function", value: {} as CredentialsFunction, otherwise: "those of `redis`" },
    about:
      "returns user, password or certificates; called [before each connection](../../docs/connecting-credentials.md#rotating-passwords-tokens-and-certificates)",
  },
  /** How long the first connection may take, in milliseconds, 100 to 600,000. Default 30,000. Later ones are awaited. */
  connectTimeoutMs: {
    ...{ kind: "milliseconds", min: 100, max: 600_000, default: 30_000 },
    about: "maximum time for the first connection; reconnecting may take any time",
  },
  /** Receives every event. Without one, what needs attention is reported as process warnings. */
  observer: {
    ...{ kind: "function", value: {} as Observer<DashboardEvent>, otherwise: "process warnings" },
    about: "receives every [event](../../docs/events.md#dashboard)",
  },
  /**
   * The streams to show, by their keys. Default: every stream that SCAN finds, looked up four times a minute. Nothing else
   * can be read through the dashboard.
   */
  streams: {
    ...{ kind: "streams", otherwise: "every stream of the server" },
    about: "the streams to show; nothing else can be read through the dashboard",
  },
  /** How many streams are shown at most if they are looked up, 1 to 10,000. Default 1,000, the first by name. */
  maxStreams: {
    ...{ kind: "integer", min: 1, max: 10_000, default: 1_000 },
    about: "maximum number of streams that are looked up; `streams` has no limit",
  },
  /** The time between the beginnings of two looks at the streams, in milliseconds, 500 to 60,000. Default 2,000. */
  intervalMs: {
    ...{ kind: "milliseconds", min: 500, max: 60_000, default: 2_000 },
    about: "time between two looks at all streams; one look serves everyone who watches",
  },
  /**
   * Whether people may pause and resume groups, change their rates, and redrive and discard dead letters. Default `false`: the
   * dashboard only shows.
   */
  allowActions: {
    ...{ kind: "flag", default: false },
    about:
      "let people pause groups, change their rates, and redrive and discard dead letters; otherwise the dashboard only shows",
  },
  /**
   * Who may use the dashboard: each name with the token that signs this person in, at least 16 characters. Default: nobody
   * has to sign in, which is allowed only for this machine (see `hosts`).
   */
  tokens: {
    ...{ kind: "own", value: {} as Readonly<Record<string, string>>, otherwise: "nobody has to sign in" },
    about: "names of people, each with the token to sign in with, at least 16 characters",
  },
  /**
   * The request header in which a proxy, or the application around the dashboard, says who somebody is. Whatever is in
   * front must remove the header from requests of others. Requests without it are refused. Default: none.
   */
  userHeader: {
    ...{ kind: "text", otherwise: "none" },
    about: "header in which a trusted proxy says who somebody is; it must remove what clients send under that name",
  },
  /** Who may act, by the names of `tokens` or `userHeader`. Default: everybody, if `allowActions`. */
  operators: {
    ...{ kind: "own", value: [] as readonly string[], otherwise: "everybody, with `allowActions`" },
    about: "names of the people who may act; the others only look",
  },
  /**
   * Host names under which the dashboard is reached, beside those of this machine (`localhost`, `127.0.0.1`, `::1`).
   * Requests for others are refused, so that no foreign page can reach it by a name of its own. Needs `tokens` or
   * `userHeader`. Default: none.
   */
  hosts: {
    ...{ kind: "own", value: [] as readonly string[], otherwise: "only this machine" },
    about: "host names under which it is reached, beside `localhost`; needs `tokens` or `userHeader`",
  },
  /** The path under which it is mounted, such as `/queues`, where requests arrive with it. Default: none. */
  prefix: {
    ...{ kind: "text", otherwise: "none" },
    about: "path under which it is mounted, if requests arrive with it: `/queues`",
  },
  /** Names of fields whose values are never shown, whatever their case; `"*"` is every field. Default: none. */
  mask: {
    ...{ kind: "own", value: [] as readonly string[], otherwise: "none" },
    about: 'names of fields whose values are never shown; `"*"` hides all of them',
  },
  /** How many entries a group's log of actions keeps, about, 100 to 1,000,000. Default 10,000. There are two for each action. */
  auditLength: {
    ...{ kind: "integer", min: 100, max: 1_000_000, default: 10_000 },
    about: "approximate number of entries in the log of a group's actions; there are two for each action",
  },
} as const satisfies OptionSpecs;

/** What the server of the dashboard takes in addition. */
export const DASHBOARD_SERVER_SPEC = {
  /** The port, 0 to 65,535; 0 picks a free one. Default 9,473. */
  port: { kind: "integer", min: 0, max: 65_535, default: 9473, about: "the port; 0 picks a free one" },
  /**
   * The address to listen on. Default `127.0.0.1`: only this machine. Others need `tokens` or `userHeader`, and TLS in front,
   * because tokens are sent as they are.
   */
  host: {
    ...{ kind: "text", default: "127.0.0.1" },
    about: "address to listen on; others than this machine's need `tokens` or `userHeader`",
  },
} as const satisfies OptionSpecs;
