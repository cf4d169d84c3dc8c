/**
 * NestJS: a module that works on a stream, and drains when the application shuts down
 *
 * Nest calls the hooks of the provider: it begins when the application is up, and `close()` is awaited before the process
 * ends. A dynamic module needs no decorators, so this file runs without a build step.
 */
import "reflect-metadata";
import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Logger,
  type OnApplicationBootstrap,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { Consumer, type ConsumerOptions, type Handler } from "@redis-batch/consumer";
import { settings } from "./settings.ts";

class StreamWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #log = new Logger("StreamWorker");
  readonly #consumer: Consumer;
  readonly #handler: Handler;

  constructor(options: ConsumerOptions, handler: Handler) {
    this.#consumer = new Consumer(options);
    this.#handler = handler;
  }

  onApplicationBootstrap(): void {
    this.#consumer.run(this.#handler).then(
      (report) => this.#log.log(`stopped: ${JSON.stringify(report)}`),
      (error: unknown) => {
        // Only what no repetition can fix: the platform has to start the process again.
        this.#log.error(error);
        process.kill(process.pid, "SIGTERM");
      },
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#consumer.close();
  }

  /** For a controller with probes. */
  health(): ReturnType<Consumer["health"]> {
    return this.#consumer.health();
  }
}

function streamModule(options: ConsumerOptions, handler: Handler): DynamicModule {
  const worker = { provide: StreamWorker, useFactory: () => new StreamWorker(options, handler) };
  return { module: class StreamModule {}, providers: [worker], exports: [StreamWorker] };
}

const app = await NestFactory.createApplicationContext(
  streamModule({ ...settings, stream: "mails", group: "mailer", maxWaitMs: 50 }, (batch) => {
    for (const message of batch) console.log(`mail to ${message.fields["to"]}`);
    batch.ack();
  }),
);
// Without it Nest does not know of SIGTERM.
app.enableShutdownHooks();
