import { execFile } from 'node:child_process';
import { open, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { CodedError } from '@earshot/async';
import type { ModelFiles } from './model-folder.js';
import { detectModel, modelError } from './model-folder.js';

/** What is used of `sherpa-onnx-node`. */
export interface SherpaModule {
  readonly OnlineRecognizer: new (config: unknown) => SherpaRecognizer;
}

export interface SherpaRecognizer {
  createStream(): SherpaStream;
  isReady(stream: SherpaStream): boolean;
  decode(stream: SherpaStream): void;
  getResult(stream: SherpaStream): SherpaResult;
}

export interface SherpaStream {
  acceptWaveform(sound: { samples: Float32Array; sampleRate: number }): void;
  inputFinished(): void;
}

export interface SherpaResult {
  readonly text: string;
  readonly tokens: readonly string[];
  /** s; see `timeScale`. */
  readonly timestamps: readonly number[];
  readonly ys_probs?: readonly number[];
}

const PACKAGE = 'sherpa-onnx-node';

/** Loading a large model from a slow disk. */
const PROBE_MS = 120_000;

/** Files of weights are never smaller. */
const MIN_WEIGHTS_BYTES = 1024;

/** First byte of an ONNX file: the field of its format's version. */
const ONNX_FIRST_BYTE = 0x08;

const PROBE = `new (require(process.argv[1]).OnlineRecognizer)(JSON.parse(process.argv[2]));`;

/**
 * Loads the native module, which is optional.
 *
 * @throws CodedError `recognizer_unavailable`.
 */
export function loadSherpa(): SherpaModule {
  try {
    return createRequire(import.meta.url)(PACKAGE) as SherpaModule;
  } catch (cause) {
    const rule = `Cannot recognize with sherpa-onnx: ${PACKAGE} must be installed for this platform`;
    throw new CodedError('recognizer_unavailable', rule, { cause });
  }
}

/**
 * Looks into a folder for a model.
 *
 * @throws CodedError `model_incomplete`, which names what is missing or broken.
 */
export async function readModelFolder(folder: string): Promise<ModelFiles> {
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) throw modelError('its folder must exist and be readable');
  const detection = detectModel(names);
  if (detection.kind === 'incomplete') {
    throw modelError(`its folder must hold ${detection.missing.join(' and ')}`);
  }
  for (const name of Object.values(detection.files).filter((value) => value.endsWith('.onnx'))) {
    if (!(await isOnnx(path.join(folder, name)))) throw modelError(`${name} must be an ONNX file`);
  }
  return detection.files;
}

/**
 * Tries a model in a process of its own: the native module aborts its process over weights that it
 * can't read.
 *
 * @throws CodedError `model_incomplete`.
 */
export function probeModel(config: unknown): Promise<void> {
  const script = createRequire(import.meta.url).resolve(PACKAGE);
  const args = ['-e', PROBE, script, JSON.stringify(config)];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { timeout: PROBE_MS }, (error) => {
      if (error === null) resolve();
      else reject(modelError('sherpa-onnx must be able to load it'));
    });
  });
}

/** The configuration of the native recognizer. Ends of utterances are found by the caller. */
export function sherpaConfig(folder: string, files: ModelFiles, threads: number): unknown {
  const at = (name: string): string => path.join(folder, name);
  return {
    featConfig: { sampleRate: 16_000, featureDim: 80 },
    modelConfig: {
      ...modelSection(folder, files, at),
      tokens: at(files.tokens),
      numThreads: threads,
      provider: 'cpu',
      debug: 0,
    },
    decodingMethod: 'greedy_search',
    enableEndpoint: false,
  };
}

/** Of CTC models, by the name of the folder, as the published ones are named. */
function ctcSection(folder: string): 'nemoCtc' | 'toneCtc' | 'zipformer2Ctc' {
  const name = path.basename(folder).toLowerCase();
  if (name.includes('nemo')) return 'nemoCtc';
  return name.includes('t-one') ? 'toneCtc' : 'zipformer2Ctc';
}

/**
 * By how much the times of tokens are too short; null when there are none to be relied on. For any CTC
 * model the runtime takes a frame of the model to be 40 ms; those of NeMo are 80 ms, and those of T-one
 * are not known. For Paraformer it gives no times.
 *
 * Source: github.com/k2-fsa/sherpa-onnx `sherpa-onnx/csrc/online-recognizer-ctc-impl.h` (GetResult),
 * `online-recognizer-paraformer-impl.h`.
 */
export function timeScale(folder: string, { kind }: ModelFiles): number | null {
  if (kind === 'paraformer') return null;
  if (kind === 'transducer') return 1;
  return { nemoCtc: 2, toneCtc: null, zipformer2Ctc: 1 }[ctcSection(folder)];
}

function modelSection(
  folder: string,
  files: ModelFiles,
  at: (name: string) => string,
): Record<string, unknown> {
  if (files.kind === 'ctc') {
    return { [ctcSection(folder)]: { model: at(files.model) } };
  }
  const encoder = at(files.encoder);
  const decoder = at(files.decoder);
  if (files.kind === 'paraformer') return { paraformer: { encoder, decoder } };
  return { transducer: { encoder, decoder, joiner: at(files.joiner) } };
}

async function isOnnx(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, 0);
    return size >= MIN_WEIGHTS_BYTES && buffer[0] === ONNX_FIRST_BYTE;
  } finally {
    await handle.close();
  }
}
