/** The whole terminal, for `monitor --watch`. */
import { describeCount, describeMessages } from "@redis-batch/core/internal/errors";
import { systemClock } from "@redis-batch/core/internal/service";
import type { GroupReport, Monitor, MonitorReport } from "@redis-batch/monitor";
import type { Invocation } from "../command.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import { describeFailure } from "../failure.ts";
import { isoTime } from "../point.ts";
import { renderEmptyFrame, renderFrame, type Sample, sampleOf } from "../render/watch-frame.ts";
import type { monitor } from "../table/monitor.ts";
import { lateAfterMs } from "./silence-watch.ts";

type Call = Invocation<typeof monitor>;

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_TO_END_OF_LINE = "\u001b[K";
const MOST_SAMPLES = 500;
const TICK_MS = 1_000;

/**
 * | state    | keys                                | leaves by          |
 * |----------|-------------------------------------|--------------------|
 * | watching | p pauses, c asks to clean up, q ends | p · c · q · Ctrl-C |
 * | paused   | the same                            | p                  |
 * | asking   | y cleans up, any other key does not | any key            |
 */
export class Screen {
  readonly #call: Call;
  readonly #monitor: Monitor;
  readonly #quit: () => void;
  readonly #samples: Sample[] = [];
  /** The last snapshot of an existing group, and its time by the local clock, which runs on while the server hangs. */
  #seen: { readonly report: MonitorReport; readonly group: GroupReport; readonly atMs: number } | undefined;
  readonly #cancelTicks: () => void;
  #message = "";
  #isPaused = false;
  #isLeaving = false;
  #isOver = false;
  #isAsking = false;
  /** Whether a plan or a clean-up is running: a second question would only appear after the answer. */
  #isAtWork = false;
  readonly #onKeys = (keys: Buffer): void => {
    for (const key of keys.toString()) this.#press(key);
  };
  readonly #onResize = (): void => this.#redraw();
  // A second Ctrl-C ends the process at once; the terminal must be restored then as well.
  readonly #onExit = (): void => void process.stdout.write(LEAVE);

  constructor(call: Call, monitor: Monitor, quit: () => void) {
    this.#call = call;
    this.#monitor = monitor;
    this.#quit = quit;
    process.stdout.write(ENTER);
    process.stdin.setRawMode(true);
    process.stdin.on("data", this.#onKeys);
    process.stdout.on("resize", this.#onResize);
    process.once("exit", this.#onExit);
    const timer = setInterval(() => this.#redraw(), TICK_MS);
    this.#cancelTicks = () => clearInterval(timer);
  }

  async show(report: MonitorReport): Promise<void> {
    const [group] = report.groups;
    // The group does not exist at the moment: a note has said so, and the shown data gets older.
    if (this.#isPaused || group === undefined) return;
    this.#seen = { report, group, atMs: systemClock.nowMs() };
    this.#samples.push(sampleOf(group));
    if (this.#samples.length > MOST_SAMPLES) this.#samples.shift();
    await this.#draw();
  }

  note(sentence: string): void {
    if (this.#isAsking) return;
    this.#message = sentence;
    this.#redraw();
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
    if (key === "q" || key === "\u0003") this.#leave();
    else if (this.#isAsking) void this.#answer(key);
    else if (key === "p") {
      this.#isPaused = !this.#isPaused;
      this.#redraw();
    } else if (key === "c" && !this.#isAtWork) void this.#ask();
  }

  /** Ends; at the second request at once, without waiting for a server that hangs. */
  #leave(): void {
    if (this.#isLeaving) process.exit(EXIT_CODES.interrupted.code);
    this.#isLeaving = true;
    this.#quit();
    this.note("finishing the current work; press q again to stop at once");
  }

  async #ask(): Promise<void> {
    await this.#say(async () => {
      const plan = await this.#monitor.cleanUp({ dryRun: true });
      const [group] = plan.groups;
      const messages = (group?.moves ?? []).reduce((sum, move) => sum + move.messages, 0);
      const names = group?.removed.length ?? 0;
      if (messages + names === 0) return group?.reason ?? "there is nothing to clean up";
      this.#isAsking = true;
      return `release ${describeMessages(messages)} and remove ${describeCount(names, "name")}? y / n`;
    });
  }

  async #answer(key: string): Promise<void> {
    this.#isAsking = false;
    if (key !== "y") return this.note("nothing changed");
    await this.#say(async () => {
      const [group] = (await this.#monitor.cleanUp()).groups;
      return group?.reason ?? "the group does not exist any more";
    });
  }

  /** Shows the result, or the error. */
  async #say(work: () => Promise<string>): Promise<void> {
    this.#isAtWork = true;
    try {
      this.#message = await work();
    } catch (error) {
      this.#message = describeFailure(error).message;
    } finally {
      this.#isAtWork = false;
    }
    this.#redraw();
  }

  #redraw(): void {
    // A clean-up may end after the terminal was restored.
    if (this.#isOver) return;
    // The next snapshot finds out whether the output is still open.
    void this.#draw().catch(() => {});
  }

  async #draw(): Promise<void> {
    const { columns, rows } = process.stdout;
    const { terminal, args, options } = this.#call;
    const size = { width: columns, height: rows };
    const shared = { isPaused: this.#isPaused, message: this.#message };
    const lines = ((): string[] => {
      if (this.#seen === undefined) return renderEmptyFrame({ ...shared, ...args }, size, terminal.paint);
      const { report, group, atMs } = this.#seen;
      const ageMs = systemClock.nowMs() - atMs;
      const at = isoTime(report.atMs + ageMs) ?? "";
      const isOld = this.#isPaused || ageMs > lateAfterMs(options.interval);
      const frame = { report, group, samples: this.#samples, ...shared, at, ageMs: isOld ? ageMs : null };
      return renderFrame(frame, size, terminal.paint);
    })();
    await terminal.write(`${HOME}${lines.map((line) => line + CLEAR_TO_END_OF_LINE).join("\r\n")}`);
  }
}
