/** A number with a noun, for sentences: `1 message`, `3 messages`. */
export function describeCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** A number of messages, for sentences. */
export function describeMessages(count: number): string {
  return describeCount(count, "message");
}
