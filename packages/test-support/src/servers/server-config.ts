import { join } from "node:path";
import type { ServerAddress } from "../wire/server-address.ts";
import type { Certificates } from "./certificates.ts";
import { PID_FILE } from "./scratch-folder.ts";

/** `aof`: every write on disk before its reply. `everysec`: on disk within a second. `none`: nothing on disk. */
export type Persistence = "none" | "aof" | "everysec";

/** `server`: clients check the server. `mutual`: the server checks its clients too. */
export type TlsMode = "server" | "mutual";

/** One ACL user. */
export interface AclUser {
  readonly name: string;
  readonly password?: string;
  /** ACL rules as the server takes them, such as `~orders* +@stream`; a user is on unless they say `off`. */
  readonly rules: string;
}

/** All that a server's configuration file is made of. */
export interface ServerSettings {
  readonly folder: string;
  /** A unix socket, or a port on an interface. */
  readonly listen:
    | { readonly kind: "socket"; readonly path: string }
    | { readonly kind: "tcp"; readonly port: number; readonly bind: string };
  readonly persistence: Persistence;
  readonly users: readonly AclUser[];
  readonly tls?: { readonly mode: TlsMode; readonly certificates: Certificates };
  readonly replicaOf?: ServerAddress;
  /** Lines that make this a Sentinel, which takes few of the others. */
  readonly sentinel?: readonly string[];
  /** Further lines, word for word. */
  readonly config: readonly string[];
}

/** The configuration file of a test server. */
export function serverConfig(settings: ServerSettings): string {
  const lines = [
    "daemonize no",
    `dir ${settings.folder}`,
    `pidfile ${join(settings.folder, PID_FILE)}`,
    'logfile ""',
    "loglevel notice",
    "protected-mode no",
    // The command line keeps the folder's name, by which a server that outlived its run is recognised.
    "set-proc-title no",
    ...listenLines(settings),
    ...(settings.sentinel ?? dataLines(settings)),
    ...settings.users.map(userLine),
    ...settings.config,
  ];
  return `${lines.join("\n")}\n`;
}

function listenLines({ listen, tls }: ServerSettings): string[] {
  if (listen.kind === "socket") return ["port 0", `unixsocket ${listen.path}`, "unixsocketperm 700"];
  if (tls === undefined) return [`bind ${listen.bind}`, `port ${listen.port}`];
  return [
    `bind ${listen.bind}`,
    "port 0",
    `tls-port ${listen.port}`,
    `tls-cert-file ${tls.certificates.certPath}`,
    `tls-key-file ${tls.certificates.keyPath}`,
    `tls-ca-cert-file ${tls.certificates.caPath}`,
    `tls-auth-clients ${tls.mode === "mutual" ? "yes" : "no"}`,
  ];
}

function dataLines({ persistence, replicaOf }: ServerSettings): string[] {
  // A replica is in step at once instead of after the usual seconds of waiting for others.
  const lines = ['save ""', "enable-debug-command yes", "repl-diskless-sync-delay 0"];
  if (persistence === "aof") lines.push("appendonly yes", "appendfsync always");
  if (persistence === "everysec") lines.push("appendonly yes", "appendfsync everysec");
  if (replicaOf === undefined) return lines;
  lines.push(`replicaof ${replicaOf.host} ${replicaOf.port}`);
  if (replicaOf.username !== undefined) lines.push(`masteruser ${replicaOf.username}`);
  if (replicaOf.password !== undefined) lines.push(`masterauth ${replicaOf.password}`);
  if (replicaOf.tls !== undefined) lines.push("tls-replication yes");
  return lines;
}

function userLine({ name, password, rules }: AclUser): string {
  // `default` begins with every right and no password: what is not said here is taken away first.
  const words = ["user", name, "reset", "on", password === undefined ? "nopass" : `>${password}`, rules];
  return words.join(" ");
}
