/** The whole terminal, for `monitor --watch`. */
import { describeCount, describeMessages } from "@redis-batch/core/internal/errors";
import { systemClock } from "@redis-batch/core/internal/service";
import type { GroupReport, Monitor, MonitorReport } from "@redis-batch/monitor";
import type { Invocation } from "../command.ts";
import { describeFailure } from "../failure.ts";
import { isoTime } from "../point.ts";
import { renderEmptyFrame, renderFrame, type Sample, sampleOf } from "../render/watch-frame.ts";
import type { monitor } from "../table/monitor.ts";
import { FullScreen } from "./full-screen.ts";
import { lateAfterMs } from "./silence-watch.ts";

/** A call in which the group is named. */
export type Call = Invocation<typeof monitor> & { readonly args: { readonly stream: string; readonly group: string } };

const MOST_SAMPLES = 500;

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
  readonly #screen: FullScreen;
  readonly #samples: Sample[] = [];
  /** The last snapshot of an existing group, and its time by the local clock, which runs on while the server hangs. */
  #seen: { readonly report: MonitorReport; readonly group: GroupReport; readonly atMs: number } | undefined;
  #message = "";
  #isPaused = false;
  #isOver = false;
  #isAsking = false;
  /** Whether a plan or a clean-up is running: a second question would only appear after the answer. */
  #isAtWork = false;
  constructor(call: Call, monitor: Monitor, quit: () => void) {
    this.#call = call;
    this.#monitor = monitor;
    this.#screen = new FullScreen({
      onKey: (key) => this.#press(key),
      draw: () => this.#lines(),
      quit: () => {
        quit();
        this.note("finishing the current work; press q again to stop at once");
      },
    });
  }

  async show(report: MonitorReport): Promise<void> {
    const [group] = report.groups;
    // The group does not exist at the moment: a note has said so, and the shown data gets older.
    if (this.#isPaused || group === undefined) return;
    this.#seen = { report, group, atMs: systemClock.nowMs() };
    this.#samples.push(sampleOf(group));
    if (this.#samples.length > MOST_SAMPLES) this.#samples.shift();
    this.#screen.redraw();
  }

  note(sentence: string): void {
    if (this.#isAsking) return;
    this.#message = sentence;
    this.#redraw();
  }

  end(): void {
    this.#isOver = true;
    this.#screen.end();
  }

  #press(key: string): void {
    if (this.#isAsking) void this.#answer(key);
    else if (key === "p") {
      this.#isPaused = !this.#isPaused;
      this.#redraw();
    } else if (key === "c" && !this.#isAtWork) void this.#ask();
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
    if (!this.#isOver) this.#screen.redraw();
  }

  #lines(): readonly string[] {
    const { columns, rows } = process.stdout;
    const { terminal, args, options } = this.#call;
    const size = { width: columns, height: rows };
    const shared = { isPaused: this.#isPaused, message: this.#message };
    if (this.#seen === undefined) return renderEmptyFrame({ ...shared, ...args }, size, terminal.paint);
    const { report, group, atMs } = this.#seen;
    const ageMs = systemClock.nowMs() - atMs;
    const at = isoTime(report.atMs + ageMs) ?? "";
    const isOld = this.#isPaused || ageMs > lateAfterMs(options.interval);
    const frame = { report, group, samples: this.#samples, ...shared, at, ageMs: isOld ? ageMs : null };
    return renderFrame(frame, size, terminal.paint);
  }
}
