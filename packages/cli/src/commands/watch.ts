/** `monitor --watch`: shows snapshot after snapshot, until it is stopped. */
import { describeMessages } from "@redis-batch/core/internal/errors";
import { RELEASED } from "@redis-batch/core/internal/names";
import type { Monitor, MonitorEvent, MonitorReport } from "@redis-batch/monitor";
import { isoTime } from "../point.ts";
import { groupReport } from "../render/group-report.ts";
import { encodeReportJson } from "../render/report.ts";
import { renderSnapshot } from "../render/watch-line.ts";
import { awaited } from "./find-group.ts";
import { type Call, Screen } from "./screen.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { withMonitor } from "./with-monitor.ts";

/** Shows snapshots and events. */
export interface Viewer {
  show(report: MonitorReport): Promise<void>;
  note(sentence: string): void;
  end(): void;
}

export async function watch(call: Call): Promise<void> {
  const { args, options, terminal, signal } = call;
  const stop = new AbortController();
  const over = AbortSignal.any([signal, stop.signal]);
  let fault: Error | undefined;
  let viewer: Viewer | undefined;
  let monitor: Monitor | undefined;
  const observer = (event: MonitorEvent): void => {
    const report = monitor?.lastReport ?? null;
    if (event.type === "inspected" && report !== null) {
      viewer?.show(report).catch((error: unknown) => {
        fault = error instanceof Error ? error : new Error("the snapshot could not be shown");
        stop.abort();
      });
    } else {
      const sentence = describe(event);
      if (sentence !== undefined) viewer?.note(sentence);
    }
  };
  await withMonitor(call, { observer }, async (made) => {
    // The first pass finds out whether the group can be watched; its result is shown with the next one.
    const { length, groups } = await made.inspect({ signal: over });
    monitor = made;
    const isScreen = terminal.isInteractive && !options.json && process.stdin.isTTY;
    viewer = isScreen ? new Screen(call, made, () => stop.abort()) : new Lines(call);
    if (groups.length === 0) viewer.note(awaited(args.stream, length === null ? undefined : args.group));
    try {
      await made.run({ intervalMs: options.interval, autoCleanUp: options["auto-cleanup"], signal: over });
    } finally {
      viewer.end();
    }
  });
  if (fault !== undefined) throw fault;
}

/** One line per snapshot: for files, pipes and logs. */
class Lines implements Viewer {
  readonly #call: Call;
  readonly #watch: SilenceWatch;

  constructor(call: Call) {
    this.#call = call;
    this.#watch = new SilenceWatch(call.options.interval, (sentence) => this.note(sentence));
  }

  async show(report: MonitorReport): Promise<void> {
    this.#watch.answered();
    const { terminal, options } = this.#call;
    const [group] = report.groups;
    const at = isoTime(report.atMs) ?? "";
    // The group does not exist at the moment: a note has said so.
    if (group === undefined) return;
    const { facts = [], ...rest } = groupReport(report, group);
    await terminal.write(
      options.json
        ? encodeReportJson({ facts: [{ key: "at", value: at }, ...facts], ...rest }, true)
        : renderSnapshot(at, group),
    );
  }

  note(sentence: string): void {
    this.#call.terminal.note(sentence);
  }

  end(): void {
    this.#watch.end();
  }
}

/** Events worth a sentence beside the numbers. */
function describe(event: MonitorEvent): string | undefined {
  switch (event.type) {
    case "groupChanged":
      return `the group is ${event.to}: ${event.reason}`;
    case "consumerChanged":
      return event.from === null || event.to === null
        ? `${event.consumer} ${event.to === null ? "is gone" : "has joined"}`
        : `${event.consumer} is ${event.to}: ${event.reason}`;
    case "handedOver":
      return `${describeMessages(event.messages)} of ${event.from} ${event.messages === 1 ? "was" : "were"} ${
        event.to === RELEASED ? "released for any consumer" : `handed over to ${event.to}`
      }`;
    case "leftPending":
      return `${describeMessages(event.messages)} ${event.messages === 1 ? "stays" : "stay"} with ${event.consumer}: ${event.reason}`;
    case "consumerRemoved":
      return `the name ${event.consumer} was removed`;
    case "passFailed":
      return `a pass failed: ${event.error.message}; retrying`;
    case "disconnected":
      return `the connection is lost (${event.reason}); reconnecting`;
    case "messagesLost":
      return `messages were deleted from the stream before ${event.group} had finished them`;
    case "following":
      return "another monitor leads; this one only watches";
    default:
      return undefined;
  }
}
