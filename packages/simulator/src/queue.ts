/** What a group has of one stream: messages that nobody has read, and messages that were released. */

import type { Message } from "./consumer.ts";

// Room of read messages is freed when they are this many, and half of the list.
const FREE_AT = 1_024;

export class MessageQueue {
  #unread: Message[] = [];
  #read = 0;
  #released: Message[] = [];

  /** Messages that were never read. */
  get unread(): number {
    return this.#unread.length - this.#read;
  }

  /** Messages that were released, and that any consumer with a free place may claim. */
  get released(): number {
    return this.#released.length;
  }

  /** The next one to read; `undefined`: there is none. */
  get first(): Message | undefined {
    return this.#unread[this.#read];
  }

  add(message: Message): void {
    this.#unread.push(message);
  }

  release(messages: readonly Message[]): void {
    this.#released.push(...messages);
  }

  /** Reads new messages, the oldest first. */
  read(most: number): readonly Message[] {
    const messages = this.#unread.slice(this.#read, this.#read + most);
    this.#read += messages.length;
    if (this.#read >= FREE_AT && 2 * this.#read >= this.#unread.length) {
      this.#unread = this.#unread.slice(this.#read);
      this.#read = 0;
    }
    return messages;
  }

  /** Claims messages that were released. */
  claim(most: number): readonly Message[] {
    return this.#released.splice(0, most);
  }

  /** All that nobody has. */
  *[Symbol.iterator](): Generator<Message, void, void> {
    yield* this.#released;
    for (let at = this.#read; at < this.#unread.length; at++) yield this.#unread[at] as Message;
  }
}
