import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { npmPackages } from '../npm-packages.js';
import { say } from '../progress.js';
import type { Heard } from './detectors.js';
import { hear } from './detectors.js';
import { Talkspurts } from './peers.js';
import type { PublishedSilero } from './published-silero.js';
import { loadSilero } from './published-silero.js';
import { FRAME } from './sound.js';

/** A peer that is downloaded for the bench only, and measured if it can be had. */
export interface OptionalPeer {
  readonly name: string;
  listen(pcm: Int16Array): Promise<Heard>;
  /** µs of CPU a stream and 20 ms: one alone, and 16 in a batch if it takes batches. */
  measure(sound: readonly Int16Array[]): Promise<{ alone: number; batch?: number }>;
}

export interface OptionalPeers {
  readonly peers: readonly OptionalPeer[];
  /** What can't be had, and why. */
  readonly missing: readonly string[];
}

const TEN = '@gooney-001/ten-vad-lib@1.0.2';
const BATCH = 16;
const SILERO = '@ricky0123/vad-web@0.0.31';

/**
 * TEN VAD, and Silero v5 and v6 as published. TEN's licence is Apache-2.0 with conditions: it must not be deployed
 * to compete with its maker. To measure it is no deployment.
 */
export async function optionalPeers(): Promise<OptionalPeers> {
  const peers: OptionalPeer[] = [];
  const missing: string[] = [];
  const loaders: [string, () => Promise<OptionalPeer>][] = [
    ['TEN VAD', tenPeer],
    ['Silero v5 (onnxruntime)', () => sileroPeer('v5')],
    ['Silero v6 (onnxruntime)', () => sileroPeer('v6')],
  ];
  for (const [name, load] of loaders) {
    try {
      peers.push(await load());
    } catch (error) {
      missing.push(`${name}: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
      say(`left out: ${missing.at(-1)}`);
    }
  }
  return { peers, missing };
}

/** What of emscripten's module is used. */
interface TenModule {
  readonly HEAP16: Int16Array;
  readonly HEAP32: Int32Array;
  readonly HEAPF32: Float32Array;
  _malloc(bytes: number): number;
  _ten_vad_create(handle: number, hopSamples: number, threshold: number): number;
  _ten_vad_destroy(handle: number): number;
  _ten_vad_process(
    vad: number,
    pcm: number,
    samples: number,
    probability: number,
    flag: number,
  ): number;
}

/** TEN's hop; two are a frame. */
const TEN_HOP = 160;

async function tenPeer(): Promise<OptionalPeer> {
  const modules = await npmPackages([TEN]);
  const folder = path.join(modules, '@gooney-001/ten-vad-lib');
  const wasmBinary = await readFile(path.join(folder, 'ten_vad.wasm'));
  const { default: create }: { default: (options: object) => Promise<TenModule> } = await import(
    path.join(folder, 'index.mjs')
  );
  const ten = await create({ wasmBinary });
  const pcmAt = ten._malloc(TEN_HOP * 2);
  const outAt = ten._malloc(12);
  const open = (): { ask(frame: Int16Array): number; close(): void } => {
    const handle = ten._malloc(4);
    if (ten._ten_vad_create(handle, TEN_HOP, 0.5) !== 0) throw new Error('TEN VAD does not start');
    const vad = ten.HEAP32[handle / 4]!;
    return {
      ask(frame) {
        for (let at = 0; at < FRAME; at += TEN_HOP) {
          ten.HEAP16.set(frame.subarray(at, at + TEN_HOP), pcmAt / 2);
          ten._ten_vad_process(vad, pcmAt, TEN_HOP, outAt, outAt + 4);
        }
        return ten.HEAPF32[outAt / 4]!;
      },
      close: () => void ten._ten_vad_destroy(handle),
    };
  };
  return {
    name: 'TEN VAD',
    async listen(pcm) {
      const vad = open();
      const heard = hearScores(pcm, (frame) => vad.ask(frame));
      vad.close();
      return heard;
    },
    async measure(sound) {
      const vad = open();
      const start = process.cpuUsage();
      for (const frame of sound) vad.ask(frame);
      const { user, system } = process.cpuUsage(start);
      vad.close();
      return { alone: (user + system) / sound.length };
    },
  };
}

async function sileroPeer(version: 'v5' | 'v6'): Promise<OptionalPeer> {
  const modules = await npmPackages([SILERO]);
  const file = path.join(modules, '@ricky0123/vad-web/dist', `silero_vad_${version}.onnx`);
  const silero: PublishedSilero = await loadSilero(await readFile(file));
  return {
    name: `Silero ${version} (onnxruntime)`,
    async listen(pcm) {
      const probabilities = await silero.listen(pcm);
      let samples = 0;
      return hearScores(pcm, (frame) => {
        samples += frame.length;
        return probabilities[Math.floor(samples / silero.windowSamples) - 1] ?? 0;
      });
    },
    async measure() {
      return {
        alone: await silero.measureBatch(1, 1000),
        batch: await silero.measureBatch(BATCH, 200),
      };
    },
  };
}

/** Talkspurts as the other peers' are made, from a probability for each frame. */
function hearScores(pcm: Int16Array, scoreOf: (frame: Int16Array) => number): Heard {
  const spurts = new Talkspurts();
  return hear(pcm, (frame, ms) => {
    const score = scoreOf(frame);
    return { score, isHeard: true, transition: spurts.step(ms, score >= 0.5) };
  });
}
