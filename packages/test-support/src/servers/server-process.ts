/** A running server program, wherever it runs. */
export interface ServerProcess {
  readonly running: boolean;
  /** Settles when the program has ended, however it ended; says how. */
  readonly exited: Promise<string>;
  signal(name: ServerSignal): Promise<void>;
}

/** End at once, stand still, go on. An orderly end is asked for by the SHUTDOWN command. */
export type ServerSignal = "SIGKILL" | "SIGSTOP" | "SIGCONT";

/** Where a server's log goes, piece by piece. */
export type LogSink = (text: string) => void;
