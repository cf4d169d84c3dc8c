/** The whole terminal, its keys, and its restoration however the process ends. */
import { EXIT_CODES } from "../exit-codes.ts";

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_TO_END_OF_LINE = "\u001b[K";
const TICK_MS = 1_000;

/** Keys that are sent as several characters. */
const KEYS: Readonly<Record<string, string>> = {
  "\u001b[A": "up",
  "\u001b[B": "down",
  "\u001b[C": "right",
  "\u001b[D": "left",
  "\u001bOA": "up",
  "\u001bOB": "down",
  "\u001b": "escape",
  "\r": "enter",
  "\n": "enter",
};

export interface FullScreenOptions {
  /** Called with a letter, or the name of a key; not with those that end it. */
  readonly onKey: (key: string) => void;
  /** The lines of the screen. */
  readonly draw: () => readonly string[];
  /** q or Ctrl-C was pressed. */
  readonly quit: () => void;
}

export class FullScreen {
  readonly #options: FullScreenOptions;
  readonly #cancelTicks: () => void;
  #isLeaving = false;
  #isOver = false;
  readonly #onKeys = (keys: Buffer): void => {
    for (const key of readKeys(keys.toString())) this.#press(key);
  };
  readonly #onResize = (): void => this.redraw();
  // A second Ctrl-C ends the process at once; the terminal must be restored then as well.
  readonly #onExit = (): void => void process.stdout.write(LEAVE);

  constructor(options: FullScreenOptions) {
    this.#options = options;
    process.stdout.write(ENTER);
    process.stdin.setRawMode(true);
    process.stdin.on("data", this.#onKeys);
    process.stdout.on("resize", this.#onResize);
    process.once("exit", this.#onExit);
    const timer = setInterval(() => this.redraw(), TICK_MS);
    this.#cancelTicks = () => clearInterval(timer);
  }

  redraw(): void {
    if (this.#isOver) return;
    const lines = this.#options.draw();
    process.stdout.write(`${HOME}${lines.map((line) => line + CLEAR_TO_END_OF_LINE).join("\r\n")}`);
  }

  end(): void {
    this.#isOver = true;
    this.#cancelTicks();
    process.stdin.off("data", this.#onKeys);
    process.stdout.off("resize", this.#onResize);
    process.off("exit", this.#onExit);
    process.stdin.setRawMode(false);
    process.stdin.pause();
    process.stdout.write(LEAVE);
  }

  #press(key: string): void {
    // In raw mode Ctrl-C is a key like any other.
    if (key !== "q" && key !== "\u0003") return this.#options.onKey(key);
    // At the second request at once, without waiting for a server that hangs.
    if (this.#isLeaving) process.exit(EXIT_CODES.interrupted.code);
    this.#isLeaving = true;
    this.#options.quit();
  }
}

function* readKeys(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const long = text.slice(at, at + 3);
    const key = KEYS[long] === undefined ? (text[at] ?? "") : long;
    yield KEYS[key] ?? key;
    at += key.length;
  }
}
