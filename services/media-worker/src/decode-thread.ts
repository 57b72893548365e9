// Entry of a decode thread: decodes and listens until told to stop. Its event loop is not used
// after the start: the thread sleeps on the doorbell, so that a frame wakes it in microseconds.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { CarriesPrevious } from '@earshot/media-session';
import { FRAME_PAYLOAD_BYTES, FRAME_SAMPLES, SESSION_SAMPLE_RATE_HZ } from '@earshot/media-session';
import { createOpusEngine, opusPacketHasFec } from '@earshot/opus';
import { createSpeechModel } from '@earshot/speech-model';
import { DecodeLoop } from './decode-loop.js';
import { LatencyHistogram } from './latency-histogram.js';
import { ReadyStreams } from './ready-streams.js';
import { nowMicros } from './thread-clock.js';
import type { ThreadCommand, ThreadReport, ThreadSetup } from './thread-messages.js';
import { SIGNAL } from './thread-messages.js';

/** Sleeps no longer than this: a doorbell lost to a bug costs a moment, not a call. */
const MAX_SLEEP_MS = 1000;

/** Packets decoded by one call. More save nothing, and hold up the findings of the first. */
const BATCH_ENTRIES = 32;

const setup: ThreadSetup = workerData;
const port = parentPort ?? fail('this file must run as a worker thread');
const signals = new Int32Array(setup.signals);
const { capacity } = setup;

const engine = await createOpusEngine({ engine: setup.opusEngine });
const noneCarried: CarriesPrevious = () => false;
const loop = new DecodeLoop({
  decoders: engine.createDecoderPool({
    sampleRateHz: SESSION_SAMPLE_RATE_HZ,
    channels: 1,
    capacity,
    batch: {
      entries: BATCH_ENTRIES,
      maxPacketBytes: FRAME_PAYLOAD_BYTES,
      maxSamples: FRAME_SAMPLES,
    },
  }),
  carriesPrevious: engine.recoversFec ? opusPacketHasFec : noneCarried,
  speechModel: setup.speechModel === 'off' ? undefined : createSpeechModel({ capacity }),
  capacity,
  ready: new ReadyStreams(setup.ready),
  latencies: new LatencyHistogram(setup.latencies),
  nowMicros,
  onCodecMicros: (micros) => Atomics.add(signals, SIGNAL.codecMicros, micros),
  post,
});

post({ kind: 'ready', engine: { name: engine.name, version: engine.version } });
while (work()) {
  Atomics.wait(signals, SIGNAL.doorbell, Atomics.load(signals, SIGNAL.answered), MAX_SLEEP_MS);
}
port.close();

/** Does all there is to do; false when told to stop. */
function work(): boolean {
  const startMicros = nowMicros();
  let worked = true;
  while (worked) {
    // Noted before looking: a ring while at work then cuts the next sleep short.
    Atomics.store(signals, SIGNAL.answered, Atomics.load(signals, SIGNAL.doorbell));
    if (!takeCommands()) return false;
    worked = loop.turn();
    Atomics.add(signals, SIGNAL.turns, 1);
  }
  Atomics.add(signals, SIGNAL.busyMicros, (nowMicros() - startMicros) | 0);
  return true;
}

/** False when told to stop. */
function takeCommands(): boolean {
  for (;;) {
    const received: { message: ThreadCommand } | undefined = receiveMessageOnPort(port);
    if (received === undefined) return true;
    const { message } = received;
    switch (message.kind) {
      case 'open':
        loop.open(message);
        break;
      case 'listen':
        loop.listen(message);
        break;
      case 'tones':
        loop.listenForTones(message);
        break;
      case 'stop':
        return false;
    }
  }
}

function post(report: ThreadReport): void {
  port.postMessage(report);
}

function fail(reason: string): never {
  throw new Error(`Cannot decode: ${reason}`);
}
