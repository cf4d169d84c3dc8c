import type { Invocation, Run } from "../command.ts";
import { compareGroups, SORTS, type Sort } from "../decisions/severity.ts";
import { isoTime } from "../point.ts";
import { groupReport } from "../render/group-report.ts";
import { renderReport } from "../render/report.ts";
import { fillScreen, renderTop } from "../render/top-frame.ts";
import type { top } from "../table/monitor.ts";
import { FullScreen } from "./full-screen.ts";
import { type Look, type OverviewGroup, withOverview } from "./overview.ts";
import { repeat } from "./repeat.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { run as runStatus } from "./status.ts";

type Call = Invocation<typeof top>;

export const run: Run<typeof top> = async (call) => {
  const { options, terminal, signal } = call;
  const watching = { ...call, options: { ...options, watch: true } };
  if (!terminal.isInteractive || options.json || !process.stdin.isTTY) {
    await runStatus(watching);
    return;
  }
  const quit = new AbortController();
  const over = AbortSignal.any([signal, quit.signal]);
  await withOverview({ ...call, signal: over }, async (overview) => {
    const screen = new TopScreen(call, () => quit.abort());
    const silence = new SilenceWatch(options.interval, (sentence) => screen.note(sentence));
    try {
      await repeat({ ...watching, signal: over, terminal: screen.terminal }, async () => {
        const look = await overview.look();
        silence.answered();
        screen.show(look);
      });
    } finally {
      silence.end();
      screen.end();
    }
  });
};

/**
 * | view   | keys                                                                      | leaves by    |
 * |--------|---------------------------------------------------------------------------|--------------|
 * | groups | ↑ ↓ j k select · s sorts · p pauses the display · Enter shows a group · q ends | Enter · q    |
 * | group  | p · q                                                                     | Esc · ← · q  |
 */
class TopScreen {
  readonly #call: Call;
  readonly #screen: FullScreen;
  #look: Look = { groups: [], streams: 0, notes: [] };
  #sort: Sort = "worst";
  /** The selected group stays selected while rows change places. */
  #selected: string | undefined;
  #isOpen = false;
  #isPaused = false;
  #message = "looking at all streams …";
  #atMs = 0;

  constructor(call: Call, quit: () => void) {
    this.#call = call;
    this.#screen = new FullScreen({
      onKey: (key) => this.#press(key),
      draw: () => this.#draw(),
      quit,
    });
    this.#screen.redraw();
  }

  /** Notes go to the last line but one, instead of across the screen. */
  get terminal(): Call["terminal"] {
    const { terminal } = this.#call;
    return Object.create(terminal, {
      note: { value: (sentence: string) => this.note(sentence) },
      repeated: { value: <Result>(_asJson: boolean, print: () => Promise<Result>) => print() },
    }) as Call["terminal"];
  }

  show(look: Look): void {
    if (this.#isPaused) return;
    this.#look = look;
    this.#atMs = Date.now();
    this.#message = look.notes.join(" ");
    this.#screen.redraw();
  }

  note(sentence: string): void {
    this.#message = sentence;
    this.#screen.redraw();
  }

  end(): void {
    this.#screen.end();
  }

  get #groups(): readonly OverviewGroup[] {
    return this.#look.groups.toSorted(compareGroups(this.#sort));
  }

  #press(key: string): void {
    const groups = this.#groups;
    const at = groups.findIndex((group) => keyOf(group) === this.#selected);
    const select = (next: number): void => {
      const group = groups[Math.min(Math.max(next, 0), groups.length - 1)];
      this.#selected = group === undefined ? undefined : keyOf(group);
    };
    if (key === "p") this.#isPaused = !this.#isPaused;
    else if (key === "escape" || key === "left") this.#isOpen = false;
    else if (this.#isOpen) return;
    else if (key === "down" || key === "j") select(at + 1);
    else if (key === "up" || key === "k") select(at < 0 ? 0 : at - 1);
    else if (key === "s") this.#sort = SORTS[(SORTS.indexOf(this.#sort) + 1) % SORTS.length] ?? "worst";
    else if (key === "enter" || key === "right") {
      if (at < 0) select(0);
      this.#isOpen = groups.length > 0;
    }
    this.#screen.redraw();
  }

  #draw(): readonly string[] {
    const { columns: width, rows: height } = process.stdout;
    const { paint } = this.#call.terminal;
    const groups = this.#groups;
    const at = groups.findIndex((group) => keyOf(group) === this.#selected);
    const open = this.#isOpen ? groups[at] : undefined;
    const keys =
      open === undefined
        ? `↑↓ select · Enter details · s sort: ${this.#sort} · p ${this.#isPaused ? "continue" : "pause"} · q quit`
        : `Esc back · p ${this.#isPaused ? "continue" : "pause"} · q quit`;
    const foot = {
      message: this.#message,
      keys: `${isoTime(this.#atMs) ?? ""}${this.#isPaused ? "  PAUSED" : ""}   ${keys}`,
    };
    if (open === undefined) return renderTop({ groups, selected: at, ...foot }, { width, height }, paint);
    const { facts = [], ...rest } = groupReport(open.whole, open.report);
    // What is not so leaves room for the consumers.
    const told = facts.filter(({ value }) => value !== null && value !== 0 && value !== false);
    const lines = renderReport({ facts: told, ...rest }, paint, width)
      .trimEnd()
      .split("\n");
    return fillScreen(lines, foot, { width, height }, paint);
  }
}

const keyOf = ({ stream, group }: OverviewGroup): string => JSON.stringify([stream, group]);
