import process from 'node:process';
import { npmPackages, requireFrom } from '../npm-packages.js';

const PACKAGES = ['onnxruntime-node@1.30.0', 'onnxruntime-common@1.30.0'];
const WINDOW = 512;
const CONTEXT = 64;
const STATE = 128;

/** What of onnxruntime is used. */
interface Runtime {
  readonly Tensor: new (type: string, data: Float32Array | BigInt64Array, dims: number[]) => Tensor;
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<Session>;
  };
}

interface Tensor {
  readonly data: Float32Array;
}

interface Session {
  run(inputs: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}

/** Silero's model as it is published, run by onnxruntime on one thread. */
export interface PublishedSilero {
  readonly windowSamples: number;
  /** The probability of each whole window. */
  listen(pcm: Int16Array): Promise<Float32Array>;
  /** µs of CPU a stream and 20 ms, of so many streams in a batch. */
  measureBatch(streams: number, runs: number): Promise<number>;
}

/** @throws Error when onnxruntime can't be had, or can't run on this machine. */
export async function loadSilero(model: Uint8Array): Promise<PublishedSilero> {
  const runtime = requireFrom(await npmPackages(PACKAGES), 'onnxruntime-node');
  if (!isRuntime(runtime)) throw new Error('onnxruntime-node is not as expected');
  const session = await runtime.InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
  });
  const sr = new runtime.Tensor('int64', BigInt64Array.of(16_000n), []);
  const run = async (
    input: Float32Array,
    state: Tensor,
    streams: number,
  ): Promise<{ output: Tensor; stateN: Tensor }> => {
    const sound = new runtime.Tensor('float32', input, [streams, CONTEXT + WINDOW]);
    const { output, stateN } = await session.run({ input: sound, state, sr });
    if (output === undefined || stateN === undefined) throw new Error('Silero has no output');
    return { output, stateN };
  };
  const noState = (streams: number): Tensor =>
    new runtime.Tensor('float32', new Float32Array(2 * streams * STATE), [2, streams, STATE]);
  return {
    windowSamples: WINDOW,
    async listen(pcm) {
      const probabilities = new Float32Array(Math.floor(pcm.length / WINDOW));
      const input = new Float32Array(CONTEXT + WINDOW);
      let state = noState(1);
      for (let n = 0; n < probabilities.length; n += 1) {
        input.copyWithin(0, WINDOW);
        for (let i = 0; i < WINDOW; i += 1) input[CONTEXT + i] = pcm[n * WINDOW + i]! / 32_768;
        const { output, stateN } = await run(input, state, 1);
        state = stateN;
        probabilities[n] = output.data[0]!;
      }
      return probabilities;
    },
    async measureBatch(streams, runs) {
      const input = Float32Array.from({ length: streams * (CONTEXT + WINDOW) }, (_, i) =>
        Math.sin(i / 9 + (i % 7)),
      );
      let state = noState(streams);
      const start = process.cpuUsage();
      for (let i = 0; i < runs; i += 1) state = (await run(input, state, streams)).stateN;
      const { user, system } = process.cpuUsage(start);
      return ((user + system) / runs / streams) * (20 / 32);
    },
  };
}

function isRuntime(value: unknown): value is Runtime {
  return (
    typeof value === 'object' && value !== null && 'InferenceSession' in value && 'Tensor' in value
  );
}
