/** Small parts that every view uses. */

import type { ConsumerStatus, GroupHealth } from "@redis-batch/monitor";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { shortName, visible } from "./format.ts";

/** A name or any other text of others: never more than text, and isolated from the direction of what is around it. */
export const Text = ({ of }: { readonly of: string }) => <bdi>{visible(of)}</bdi>;

/** A name. Of one that would fill the page, its beginning and its end. */
export const Name = ({ of }: { readonly of: string }) => {
  const shown = shortName(of);
  return <bdi title={shown === visible(of) ? undefined : visible(of)}>{shown}</bdi>;
};

export type Tone = "bad" | "warn" | "good" | "quiet";

const TONES: Readonly<Record<GroupHealth | ConsumerStatus, Tone>> = {
  OK: "good",
  UNKNOWN: "quiet",
  "FALLING BEHIND": "warn",
  REWOUND: "warn",
  STALLED: "bad",
  STOPPED: "bad",
  FAILING: "bad",
  AHEAD: "bad",
  "WARNING - too many pending items": "warn",
  "WARNING - idle for long time": "warn",
  PAUSED: "quiet",
  "BACKING OFF": "warn",
  "HELD UP": "warn",
  DRAINING: "quiet",
  LEFT: "quiet",
  DEAD: "bad",
};

const SHAPES: Readonly<Record<Tone, string>> = {
  good: "M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3Z",
  warn: "M8 2.5 14 13H2Z",
  bad: "M8 2l6 6-6 6-6-6Z",
  quiet: "M3 7h10v2H3Z",
};

export const Shape = ({ of }: { readonly of: Tone }) => (
  <svg viewBox="0 0 16 16" aria-hidden="true">
    <path d={SHAPES[of]} />
  </svg>
);

/** A state in words, with a shape that tells it without its colour. */
export function Status({ of }: { readonly of: GroupHealth | ConsumerStatus }) {
  const tone = TONES[of] ?? "quiet";
  return (
    <span class={`status ${tone}`}>
      <Shape of={tone} />
      {wordOf(of)}
    </span>
  );
}

/** `Falling behind`: capitals shout. */
function wordOf(status: string): string {
  const word = status.replace(/^WARNING - /, "");
  return word === "OK" ? "OK" : word[0]?.toUpperCase() + word.slice(1).toLowerCase();
}

export function Notice({
  tone,
  children,
}: {
  readonly tone: "bad" | "warn" | "quiet";
  readonly children: ComponentChildren;
}) {
  return (
    <div class={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      {children}
    </div>
  );
}

export const Empty = ({ children }: { readonly children: ComponentChildren }) => <p class="empty">{children}</p>;

/** What is shown while the first answer is awaited, or when there is none. */
export function Waiting({ error, again }: { readonly error: string | null; readonly again: () => void }) {
  if (error === null)
    return (
      <p class="empty" role="status">
        Loading…
      </p>
    );
  return (
    <Notice tone="bad">
      {visible(error)}{" "}
      <button type="button" onClick={again}>
        Try again
      </button>
    </Notice>
  );
}

/** A command, with a button that copies it. */
export function Command({ line }: { readonly line: string }) {
  return (
    <div class="command">
      <code tabIndex={0}>{visible(line)}</code>
      <Copy text={line} what="Copy" />
    </div>
  );
}

export function Copy({ text, what }: { readonly text: string; readonly what: string }) {
  const [done, setDone] = useState("");
  const copy = async (): Promise<void> => {
    // Without TLS there is no clipboard, except on this machine.
    const copied = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    setDone(copied ? "Copied" : "Select and copy it by hand");
    setTimeout(() => setDone(""), 2_000);
  };
  return (
    <button type="button" class="plain" onClick={() => void copy()}>
      <span aria-live="polite">{done || what}</span>
    </button>
  );
}

/** One number with its name. */
export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
