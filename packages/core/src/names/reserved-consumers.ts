/** Consumer names that every group may have and no process runs under. They hold messages that nobody works on. */

/** Whose pending messages are free: whoever has room takes them. */
export const RELEASED = "rb:released";

/** Whose pending messages wait until their time in the group's `due` set has come. */
export const LATER = "rb:later";

/** Where versions before `rb:released` put redriven messages. Nothing is put there now, so the name goes when it is empty. */
export const REDRIVE_CONSUMER = "rb:redrive";

/** Whether a name in a group is one of those, and so never a consumer that works. */
export function isReservedConsumer(name: string): boolean {
  return name === RELEASED || name === LATER || name === REDRIVE_CONSUMER;
}
