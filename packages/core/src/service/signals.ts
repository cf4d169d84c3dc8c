/** Calls `react` once when `signal` aborts, at once if it already has. Returns the clean-up. */
export function onAbort(signal: AbortSignal | undefined, react: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    react(signal.reason);
    return () => {};
  }
  const listener = (): void => react(signal.reason);
  signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}
