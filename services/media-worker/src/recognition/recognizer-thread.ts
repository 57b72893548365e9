// Entry of a recognizer thread. Its event loop is used: recognizers may have connections. Between
// turns it sleeps on the bell that decode threads ring when they heard something.
/// <reference lib="es2024.sharedmemory" />
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '@earshot/async/system';
import type { EngineSettings } from './engine-settings.js';
import type {
  RecognizerCommand,
  RecognizerReport,
  RecognizerThreadSetup,
} from './recognition-messages.js';
import { VITAL } from './recognition-messages.js';
import type { Recognizers } from './recognizer-host.js';
import { RecognizerHost } from './recognizer-host.js';

/** Sleeps no longer: sessions are closed that nobody uses. */
const MAX_SLEEP_MS = 500;

/** What `RecognizerThreadSetup.module` exports. */
export interface RecognizerModule {
  createRecognizers(engines: EngineSettings): Promise<Recognizers>;
}

const setup: RecognizerThreadSetup = workerData;
const port = parentPort ?? fail('this file must run as a worker thread');
const bell = new Int32Array(setup.bell);
const vitals = new Int32Array(setup.vitals);
const { createRecognizers }: RecognizerModule = await import(setup.module);
const host = new RecognizerHost({
  recognizers: await createRecognizers(setup.engines),
  limits: setup.limits,
  nowMs: () => systemClock.nowMs(),
  after: (ms, run) => systemClock.at(systemClock.nowMs() + ms, run),
  wake,
  post,
  worksFor: (handle) => void Atomics.store(vitals, VITAL.stream, handle),
});
let isStopped = false;

port.on('message', (command: RecognizerCommand) => {
  if (command.kind === 'listen') host.listen(command);
  else if (command.kind === 'finish') host.finish(command.handle);
  else if (command.kind === 'stalled') host.stalled(command.handle);
  else isStopped = true;
  wake();
});
post({ kind: 'ready' });

while (!isStopped) {
  // Noted before looking: a ring while at work then cuts the sleep short.
  const seen = Atomics.load(bell, 0);
  Atomics.add(vitals, VITAL.turns, 1);
  const waiting = host.turn() ? undefined : Atomics.waitAsync(bell, 0, seen, MAX_SLEEP_MS);
  // What is settled already lets no timer and no connection have its turn.
  if (waiting?.async === true) await waiting.value;
  else await setImmediate();
}
await host.close();
port.close();

function wake(): void {
  Atomics.add(bell, 0, 1);
  Atomics.notify(bell, 0);
}

function post(report: RecognizerReport): void {
  port.postMessage(report);
}

function fail(reason: string): never {
  throw new Error(`Cannot recognize: ${reason}`);
}
