/** A running server program, wherever it runs. */
export interface ServerProcess {
  readonly running: boolean;
  /** Settles when the program has ended, however it ended; says how. */
  readonly exited: Promise<string>;
  signal(name: ServerSignal): Promise<void>;
}

/** End at once, freeze, continue. The SHUTDOWN command asks for a clean end. */
export type ServerSignal = "SIGKILL" | "SIGSTOP" | "SIGCONT";

/** Where a server's log goes, piece by piece. */
export type LogSink = (text: string) => void;
