/** A real PostgreSQL for the tests, from the programs of this machine. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, chownSync, constants, mkdirSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { eventually } from "../time/eventually.ts";
import { createScratchFolder, removeScratchFolder } from "./scratch-folder.ts";

const run = promisify(execFile);

/** Where Debian keeps the programs of each major version. */
const DEBIAN_ROOT = "/usr/lib/postgresql";
/** "nobody" of Debian, and of most others. */
const UNPRIVILEGED_ID = 65_534;

const TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND";

/** The folder with `initdb` and `postgres`, or why there is none to use. */
export type PostgresPrograms = { readonly folder: string } | { readonly missing: string };

export function findPostgres(): PostgresPrograms {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...debianFolders()];
  const folder = folders.find((candidate) => isExecutable(candidate, "initdb") && isExecutable(candidate, "postgres"));
  if (folder === undefined) {
    return { missing: `no initdb and postgres on the PATH or under ${DEBIAN_ROOT} (apt-get install postgresql)` };
  }
  // PostgreSQL refuses to run as root.
  if (isRoot() && !folders.some((candidate) => isExecutable(candidate, "setpriv"))) {
    return { missing: "it cannot run as root, and there is no setpriv to run it as another user" };
  }
  return { folder };
}

/** One server with a folder of its own, reached over a unix socket in it; gone when it is stopped. */
export class PostgresServer implements AsyncDisposable {
  /** Such as `postgres:///postgres?host=/tmp/…&user=postgres`. */
  readonly url: string;
  readonly #folder: string;
  readonly #launch: () => Promise<RunningServer>;
  #running: RunningServer;

  private constructor(folder: string, launch: () => Promise<RunningServer>, running: RunningServer) {
    this.url = urlOf(folder);
    this.#folder = folder;
    this.#launch = launch;
    this.#running = running;
  }

  static async start({ folder: programs }: { readonly folder: string }): Promise<PostgresServer> {
    const folder = createScratchFolder();
    const data = join(folder, "data");
    mkdirSync(data);
    if (isRoot()) for (const path of [folder, data]) chownSync(path, UNPRIVILEGED_ID, UNPRIVILEGED_ID);

    const initdb = [join(programs, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"];
    const [init, ...initArgs] = asUnprivileged([...initdb, "--locale=C"]);
    await run(init, initArgs, { cwd: folder });

    const settings = ["listen_addresses=", `unix_socket_directories=${folder}`, "fsync=off"];
    const options = settings.flatMap((setting) => ["-c", setting]);
    const commandLine = asUnprivileged([join(programs, "postgres"), "-D", data, ...options]);
    const launch = (): Promise<RunningServer> => launchServer(commandLine, folder);
    try {
      return new PostgresServer(folder, launch, await launch());
    } catch (error) {
      removeScratchFolder(folder);
      throw error;
    }
  }

  /** Ends at once, as in a crash: what was not committed is undone at the next start. */
  async crash(): Promise<void> {
    await this.#running.end("SIGQUIT");
  }

  /** Starts it again, with its data. */
  async restart(): Promise<void> {
    this.#running = await this.#launch();
  }

  /** Lets everybody read only, also over the connections that there are; as a standby does. */
  async setReadOnly(isReadOnly: boolean): Promise<void> {
    await this.query(`ALTER SYSTEM SET default_transaction_read_only = ${isReadOnly ? "on" : "off"}`);
    await this.query("SELECT pg_reload_conf()");
  }

  /** Limits the size of a file for new connections; closes the existing ones. */
  async limitFileBytes(bytes: number | "unlimited"): Promise<void> {
    const [command, ...args] = asUnprivileged(["prlimit", "--pid", String(this.#running.pid), `--fsize=${bytes}:`]);
    await run(command, args);
    await this.query(`${TERMINATE} pid <> pg_backend_pid()`);
  }

  /** Runs one statement over a connection of its own → its rows. */
  query<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return query<Row>(this.url, sql, values);
  }

  /** Locks a table until it is released: writers wait. */
  async lock(table: string): Promise<TableLock> {
    const client = new Client({ connectionString: this.url });
    await client.connect();
    await client.query("BEGIN");
    await client.query(`LOCK TABLE ${table} IN EXCLUSIVE MODE`);
    const release = (): Promise<void> => client.end();
    return { release, [Symbol.asyncDispose]: release };
  }

  /** Breaks the connections that wait for a lock → how many there were. */
  async terminateWaiting(): Promise<number> {
    return (await this.query(`${TERMINATE} wait_event_type = 'Lock'`)).length;
  }

  /** Breaks the connections that nobody uses. */
  async terminateIdle(): Promise<void> {
    await this.query(`${TERMINATE} state = 'idle'`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The fast shutdown: it does not wait for clients to leave.
    await this.#running.end("SIGINT");
    removeScratchFolder(this.#folder);
  }
}

interface RunningServer {
  readonly pid: number | undefined;
  /** Tells it to end, and waits until it has. */
  readonly end: (how: NodeJS.Signals) => Promise<void>;
}

/** Starts the server, and waits until it answers. */
async function launchServer(
  [command, ...args]: readonly [string, ...string[]],
  folder: string,
): Promise<RunningServer> {
  const server = spawn(command, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  server.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const exited = once(server, "close");
  const end = async (how: NodeJS.Signals): Promise<void> => {
    server.kill(how);
    await exited;
  };
  try {
    await eventually("PostgreSQL answers", async () => (await query(urlOf(folder), "SELECT 1 AS one")).length === 1);
  } catch (cause) {
    await end("SIGINT");
    throw new Error(`PostgreSQL did not start; its log:\n${log}`, { cause });
  }
  return { pid: server.pid, end };
}

function urlOf(folder: string): string {
  return `postgres:///postgres?host=${encodeURIComponent(folder)}&user=postgres`;
}

export interface TableLock extends AsyncDisposable {
  release(): Promise<void>;
}

async function query<Row extends object>(url: string, sql: string, values: readonly unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query<Row>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** The command line run as somebody else when we are root; where the kernel can, it dies with us. */
function asUnprivileged([command = "", ...args]: readonly string[]): readonly [string, ...string[]] {
  if (!isRoot()) return [command, ...args];
  const id = String(UNPRIVILEGED_ID);
  return ["setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--pdeathsig", "KILL", command, ...args];
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function debianFolders(): readonly string[] {
  try {
    const versions = readdirSync(DEBIAN_ROOT).toSorted((one, other) => Number(other) - Number(one));
    return versions.map((version) => join(DEBIAN_ROOT, version, "bin"));
  } catch {
    return [];
  }
}

function isExecutable(folder: string, program: string): boolean {
  try {
    accessSync(join(folder, program), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
