/** `monitor --watch`: looks again and again, until it is told to end. */
import { RELEASED } from "@redis-batch/core/internal";
import type { Monitor, MonitorEvent, MonitorReport } from "@redis-batch/monitor";
import type { Invocation } from "../command.ts";
import { isoTime } from "../point.ts";
import { groupReport } from "../render/group-report.ts";
import { encodeReportJson } from "../render/report.ts";
import { renderLook } from "../render/watch-line.ts";
import type { monitor } from "../table/monitor.ts";
import { awaited } from "./find-group.ts";
import { LookWatch } from "./look-watch.ts";
import { Screen } from "./screen.ts";
import { withMonitor } from "./with-monitor.ts";

type Call = Invocation<typeof monitor>;

/** Where looks and events go. */
export interface Viewer {
  look(report: MonitorReport): Promise<void>;
  tell(sentence: string): void;
  end(): void;
}

export async function watch(call: Call): Promise<void> {
  const { args, options, terminal, signal } = call;
  const stop = new AbortController();
  const over = AbortSignal.any([signal, stop.signal]);
  let fault: Error | undefined;
  let viewer: Viewer | undefined;
  let looker: Monitor | undefined;
  const observer = (event: MonitorEvent): void => {
    const report = looker?.lastReport ?? null;
    if (event.type === "inspected" && report !== null) {
      viewer?.look(report).catch((error: unknown) => {
        fault = error instanceof Error ? error : new Error("the look could not be shown");
        stop.abort();
      });
    } else {
      const sentence = describe(event);
      if (sentence !== undefined) viewer?.tell(sentence);
    }
  };
  await withMonitor(call, { observer }, async (made) => {
    // The first look tells whether it can be watched; its result is shown with the next ones.
    const { length, groups } = await made.inspect({ signal: over });
    looker = made;
    const isScreen = terminal.isInteractive && !options.json && process.stdin.isTTY;
    viewer = isScreen ? new Screen(call, made, () => stop.abort()) : new Lines(call);
    if (groups.length === 0) viewer.tell(awaited(args.stream, length === null ? undefined : args.group));
    try {
      await made.run({ intervalMs: options.interval, autoCleanUp: options["auto-cleanup"], signal: over });
    } finally {
      viewer.end();
    }
  });
  if (fault !== undefined) throw fault;
}

/** A line a look: for files, pipes and logs. */
class Lines implements Viewer {
  readonly #call: Call;
  readonly #watch: LookWatch;

  constructor(call: Call) {
    this.#call = call;
    this.#watch = new LookWatch(call.options.interval, (sentence) => this.tell(sentence));
  }

  async look(report: MonitorReport): Promise<void> {
    this.#watch.looked();
    const { terminal, options } = this.#call;
    const [group] = report.groups;
    const at = isoTime(report.atMs) ?? "";
    // Not there for now: `tell` has said so.
    if (group === undefined) return;
    const { facts = [], ...rest } = groupReport(report, group);
    await terminal.write(
      options.json
        ? encodeReportJson({ facts: [{ key: "at", value: at }, ...facts], ...rest }, true)
        : renderLook(at, group),
    );
  }

  tell(sentence: string): void {
    this.#call.terminal.note(sentence);
  }

  end(): void {
    this.#watch.end();
  }
}

/** What is worth a word beside the numbers. */
function describe(event: MonitorEvent): string | undefined {
  switch (event.type) {
    case "groupChanged":
      return `the group is ${event.to}: ${event.reason}`;
    case "consumerChanged":
      return event.from === null || event.to === null
        ? `${event.consumer} ${event.to === null ? "is gone" : "is there"}`
        : `${event.consumer} is ${event.to}: ${event.reason}`;
    case "handedOver":
      return event.to === RELEASED
        ? `${event.messages} messages of ${event.from} were released for any consumer`
        : `${event.messages} messages of ${event.from} were handed to ${event.to}`;
    case "leftPending":
      return `${event.messages} messages stay with ${event.consumer}: ${event.reason}`;
    case "consumerRemoved":
      return `the name ${event.consumer} was removed`;
    case "passFailed":
      return `no look: ${event.error.message}; trying again`;
    case "disconnected":
      return `the connection is lost (${event.reason}); trying again`;
    case "messagesLost":
      return `messages were removed from the stream before ${event.group} had finished them`;
    case "following":
      return "another monitor leads: this one only watches";
    default:
      return undefined;
  }
}
