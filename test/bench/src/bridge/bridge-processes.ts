import { BenchProcess } from '../pipeline/bench-process.js';
import { canPin } from '../pipeline/cores.js';
import type {
  PathName,
  ReceiverCommand,
  ReceiverReport,
  ReceiveWindow,
  SenderCommand,
  SenderReport,
  SendPlan,
  TimedWindow,
} from './messages.js';

const RECEIVER = new URL('./receiver-process.js', import.meta.url);
const SENDER = new URL('./sender-process.js', import.meta.url);
export const RECEIVER_CORE = 0;
const SENDER_CORE = 1;
/** Room for all that is measured to be allocated: a collection would hide it. */
const ROOMY_HEAP = ['--min-semi-space-size=128', '--max-semi-space-size=128'];

export interface Load {
  readonly path: PathName;
  readonly messages: number;
  readonly framesPerMessage: number;
}

/** A receiver and a sender, each a process on a core of its own. */
export class BridgeProcesses {
  readonly #receiver: BenchProcess<ReceiverCommand, ReceiverReport>;
  readonly #sender: BenchProcess<SenderCommand, SenderReport>;
  #port = 0;

  private constructor(roomyHeap: boolean) {
    const [receiverCore, senderCore] = canPin() ? [RECEIVER_CORE, SENDER_CORE] : [];
    const flags = roomyHeap ? ROOMY_HEAP : [];
    this.#receiver = new BenchProcess(RECEIVER, receiverCore, {}, flags);
    this.#sender = new BenchProcess(SENDER, senderCore);
  }

  /** @param roomyHeap the receiver collects no garbage unless told to, to see what is allocated. */
  static async start({ roomyHeap }: { readonly roomyHeap: boolean }): Promise<BridgeProcesses> {
    const processes = new BridgeProcesses(roomyHeap);
    const { port } = await processes.#receiver.ask({ kind: 'start' }, 'ready');
    processes.#port = port;
    return processes;
  }

  /** What receiving ready-made messages costs. */
  async receive(load: Load, { gc }: { readonly gc: boolean }): Promise<ReceiveWindow> {
    const { path, messages, framesPerMessage } = load;
    await this.#sender.ask({ kind: 'connect', port: this.#port, path }, 'connected');
    await this.#receiver.ask({ kind: 'begin', messages, gc }, 'begun');
    this.#sender.send({ kind: 'blast', messages, framesPerMessage });
    const { window } = await this.#receiver.ask({ kind: 'end' }, 'window');
    return window;
  }

  /** CPU time of sending, µs. */
  async send(plan: Omit<SendPlan, 'port'>): Promise<number> {
    const { messages } = plan;
    await this.#receiver.ask({ kind: 'begin', messages, gc: false }, 'begun');
    const sending = { ...plan, port: this.#port };
    const { cpuMicros } = await this.#sender.ask({ kind: 'send', plan: sending }, 'sent');
    await this.#receiver.ask({ kind: 'end' }, 'window');
    return cpuMicros;
  }

  /** @returns the number of links. */
  async openStreams(streams: number): Promise<number> {
    const port = this.#port;
    const { links } = await this.#sender.ask({ kind: 'openStreams', port, streams }, 'streaming');
    return links;
  }

  async beginTimed(): Promise<void> {
    await this.#receiver.ask({ kind: 'beginTimed' }, 'begunTimed');
  }

  async endTimed(): Promise<TimedWindow> {
    const { timed } = await this.#receiver.ask({ kind: 'endTimed' }, 'timed');
    return timed;
  }

  async closeStreams(): Promise<{ readonly frames: number; readonly refused: number }> {
    return await this.#sender.ask({ kind: 'closeStreams' }, 'streamed');
  }

  async kill(): Promise<void> {
    await Promise.all([this.#receiver.kill(), this.#sender.kill()]);
  }
}
