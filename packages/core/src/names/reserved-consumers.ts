/** Reserved consumer names that no process uses. They hold messages that no consumer is processing. */

/** Holds released messages: any consumer with room claims them. */
export const RELEASED = "rb:released";

/** Holds deferred messages, until they are due by the group's `due` set. */
export const LATER = "rb:later";

/** Where versions before `rb:released` put redriven messages. No longer used, so the name is removed when it is empty. */
export const REDRIVE_CONSUMER = "rb:redrive";

/** Whether a name is reserved, and so never belongs to a real consumer. */
export function isReservedConsumer(name: string): boolean {
  return name === RELEASED || name === LATER || name === REDRIVE_CONSUMER;
}
