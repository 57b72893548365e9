import { CloseStack } from '@earshot/async';
import { startTestRedis } from '@earshot/test-kit';
import { BenchProcess } from '../pipeline/bench-process.js';
import type {
  ConsumerCommand,
  ConsumerReport,
  ConsumerWindow,
  PublisherCommand,
  PublisherReport,
} from './messages.js';

/** A stretch of events on their way from one process to another. */
export interface FlowWindow {
  readonly events: number;
  readonly publisherCpuMicros: number;
  readonly consumer: ConsumerWindow;
}

/** One publisher and one consumer, each a process, and a Redis that appends to its file. */
export class EventFlow {
  readonly #publisher: BenchProcess<PublisherCommand, PublisherReport>;
  readonly #consumer: BenchProcess<ConsumerCommand, ConsumerReport>;
  readonly #closers: CloseStack;

  private constructor(
    publisher: BenchProcess<PublisherCommand, PublisherReport>,
    consumer: BenchProcess<ConsumerCommand, ConsumerReport>,
    closers: CloseStack,
  ) {
    this.#publisher = publisher;
    this.#consumer = consumer;
    this.#closers = closers;
  }

  static async start(): Promise<EventFlow> {
    const closers = new CloseStack();
    const redis = await startTestRedis({ persistent: true });
    closers.defer(() => redis.close());
    const publisher = new BenchProcess<PublisherCommand, PublisherReport>(
      new URL('./publisher-process.js', import.meta.url),
      undefined,
    );
    closers.defer(() => publisher.kill());
    const consumer = new BenchProcess<ConsumerCommand, ConsumerReport>(
      new URL('./consumer-process.js', import.meta.url),
      undefined,
    );
    closers.defer(() => consumer.kill());
    await consumer.ask({ kind: 'start', redisUrl: redis.url }, 'ready');
    await publisher.ask({ kind: 'start', redisUrl: redis.url }, 'ready');
    return new EventFlow(publisher, consumer, closers);
  }

  /** Publishes events and waits until all were handled. @throws Error when one was out of order. */
  async run(command: Exclude<PublisherCommand, { kind: 'start' }>): Promise<FlowWindow> {
    const { events } = command;
    const handled = this.#consumer.ask({ kind: 'expect', events }, 'handled');
    const [{ cpuMicros }, { window }] = await Promise.all([
      this.#publisher.ask(command, 'published'),
      handled,
    ]);
    if (window.outOfOrder > 0) throw new Error(`${window.outOfOrder} events were out of order`);
    return { events, publisherCpuMicros: cpuMicros, consumer: window };
  }

  close(): Promise<void> {
    return this.#closers.close();
  }
}
