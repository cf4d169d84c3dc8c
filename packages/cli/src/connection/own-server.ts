/** A temporary server for one command, on its own socket, without persistence. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Failure } from "../failure.ts";

const NAMES = ["redis-server", "valkey-server"];
const START_MS = 10_000;

export class OwnServer implements AsyncDisposable {
  readonly url: string;
  readonly name: string;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #onExit = (): void => void this.#child.kill("SIGKILL");

  private constructor(name: string, folder: string, socket: string, child: ChildProcess) {
    this.name = name;
    this.url = `unix://${socket}`;
    this.#folder = folder;
    this.#child = child;
    process.once("exit", this.#onExit);
  }

  /** @throws {Failure} when no server program is installed, or it does not start */
  static async start(path: string): Promise<OwnServer> {
    const program = NAMES.flatMap((name) => path.split(delimiter).map((folder) => join(folder, name))).find(existsSync);
    if (program === undefined) {
      throw new Failure(
        "unreachable",
        "no server answers, and there is neither redis-server nor valkey-server on the PATH",
        "install one, or give a server's address: --url redis://host:6379",
      );
    }
    const folder = mkdtempSync(join(tmpdir(), "rb-demo-"));
    const socket = join(folder, "socket");
    const keepNothing = ["--save", "", "--appendonly", "no", "--dir", folder];
    const child = spawn(program, ["--port", "0", "--unixsocket", socket, ...keepNothing], {
      // Ctrl-C on the terminal is for us: the server is needed to clean up.
      ...{ stdio: ["ignore", "pipe", "ignore"], detached: true },
    });
    const server = new OwnServer(program, folder, socket, child);
    if (await isReady(child)) return server;
    await server[Symbol.asyncDispose]();
    throw new Failure("unreachable", `${program} did not start`, "give a server's address: --url redis://host:6379");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#onExit);
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, "exit");
      if (this.#child.kill("SIGKILL")) await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function isReady(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    let log = "";
    const timer = setTimeout(() => resolve(false), START_MS);
    const end = (isUp: boolean): void => {
      clearTimeout(timer);
      resolve(isUp);
    };
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (/ready to accept connections/i.test(log)) end(true);
    });
    child.once("error", () => end(false));
    child.once("exit", () => end(false));
  });
}
