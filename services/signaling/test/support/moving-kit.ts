import { VirtualClock } from '@earshot/async';
import { vi } from 'vitest';
import { MOVE_PAUSE_MS } from '../../src/calls/media-move.js';
import type { CallView } from '../../src/rest/schemas.js';
import type { AttachOrder, TestHost } from './harness.js';
import { Harness, WAIT } from './harness.js';

const PASS_STEP_MS = 200;

type Attachment = NonNullable<CallView['media']['attachment']>;

/** A call on worker-1 and a host that says `active` of each attachment, as hosts do. */
export class MovingKit {
  readonly harness: Harness;
  readonly clock: VirtualClock = new VirtualClock();
  /** Before an attach is answered; what it throws is the host's refusal. */
  onAttach: (order: AttachOrder) => Promise<void> | void = () => {};
  #host: TestHost | undefined;
  #id = '';

  private constructor(harness: Harness) {
    this.harness = harness;
  }

  static async open(): Promise<MovingKit> {
    const kit = new MovingKit(await Harness.open());
    await kit.harness.start({ clock: kit.clock });
    await kit.harness.worker('worker-1');
    await kit.connectHost();
    kit.#id = (await kit.harness.attachedCall()).id;
    kit.clock.advance(MOVE_PAUSE_MS);
    return kit;
  }

  close(): Promise<void> {
    return this.harness.close();
  }

  get host(): TestHost {
    if (this.#host === undefined) throw new Error('no host');
    return this.#host;
  }

  get id(): string {
    return this.#id;
  }

  /** Workers by the number at their end, in the order in which the host was sent to them. */
  get workersAsked(): number[] {
    return this.host.attached.map(({ workerUrl }) => Number(workerUrl.at(-1)));
  }

  async connectHost(): Promise<void> {
    this.#host = await this.harness.host({
      hostId: 'host',
      capacity: 100,
      attach: async (order) => {
        await this.onAttach(order);
        this.host.link.sendMediaState({ mediaId: order.mediaId, state: 'active' });
      },
    });
  }

  says(state: 'inactive' | 'active' | 'failed', detail?: string): void {
    const mediaId = `m-${this.#id}`;
    this.host.link.sendMediaState({ mediaId, state, ...(detail === undefined ? {} : { detail }) });
  }

  pass(durationMs: number): Promise<void> {
    return this.harness.pass(this.clock, durationMs);
  }

  async attachment(): Promise<Attachment> {
    const { attachment } = (await this.harness.call(this.#id)).media;
    if (attachment === undefined) throw new Error('no attachment');
    return attachment;
  }

  /** Waits until the call shows the state. */
  reaches(state: Attachment['state']): Promise<Attachment> {
    return vi.waitUntil(async () => {
      const attachment = await this.attachment();
      return attachment.state === state && attachment;
    }, WAIT);
  }

  /** Waits until the audio has moved so often. */
  moved(moves: number): Promise<Attachment> {
    return vi.waitUntil(async () => {
      const attachment = await this.attachment();
      return attachment.moves === moves && attachment.state === 'attached' && attachment;
    }, WAIT);
  }

  /**
   * Lets time pass in small steps until something is so, as back-off takes its time. Between them the
   * service gets its turn, so that no more passes than it needs, however slow the machine is.
   */
  async passUntil(isSo: () => boolean | Promise<boolean>): Promise<void> {
    await vi.waitUntil(async () => {
      if (await isSo()) return true;
      await this.pass(PASS_STEP_MS);
      return false;
    }, WAIT);
  }

  async state(): Promise<string> {
    return (await this.harness.call(this.#id)).state;
  }
}
