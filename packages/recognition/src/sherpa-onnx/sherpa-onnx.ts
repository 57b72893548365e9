import { CodedError } from '@earshot/async';
import type { Recognizer, RecognizerSession, RecognizerSessionOptions } from '../recognizer.js';
import { closedError } from '../vendor-fault.js';
import {
  loadSherpa,
  probeModel,
  readModelFolder,
  sherpaConfig,
  timeScale,
} from './sherpa-runtime.js';
import type { LoadedModel } from './sherpa-session.js';
import { ENGINE, SherpaSession } from './sherpa-session.js';

export interface SherpaOnnxOptions {
  /** Of a streaming model: transducer, Paraformer or CTC, see README. */
  readonly modelFolder: string;
  /** Threads that compute; 1 by default. */
  readonly threads?: number;
}

/**
 * Dictation on this machine with a streaming model that the operator brings. The native module and the
 * model are loaded when the first session is opened.
 *
 * Opening rejects with `model_incomplete` when the folder lacks something.
 */
export function createSherpaOnnx({ modelFolder, threads = 1 }: SherpaOnnxOptions): Recognizer {
  const sessions = new Set<SherpaSession>();
  let loading: Promise<LoadedModel> | undefined;
  let isClosed = false;

  async function open(options: RecognizerSessionOptions): Promise<RecognizerSession> {
    if (isClosed) throw closedError(ENGINE);
    if (options.task.kind !== 'dictation') {
      const rule = `Cannot recognize with ${ENGINE}: the task must be dictation`;
      throw new CodedError('recognizer_refused', rule);
    }
    loading ??= load(modelFolder, threads);
    const model = await loading.catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    // It may have been closed while the model was loaded.
    if (isClosed) throw closedError(ENGINE);
    const session: SherpaSession = new SherpaSession(model, options, () => {
      sessions.delete(session);
    });
    sessions.add(session);
    return session;
  }

  return {
    name: ENGINE,
    capabilities: {
      tasks: ['dictation'],
      partials: true,
      wordTimes: true,
      confidence: true,
      languages: 'any',
      runs: 'local',
    },
    open,
    async close() {
      isClosed = true;
      await Promise.all(Array.from(sessions, (session) => session.close()));
    },
  };
}

/**
 * Checks a model folder without opening a session, up to loading it.
 *
 * @throws CodedError `model_incomplete`, `recognizer_unavailable`.
 */
export async function checkSherpaModel(modelFolder: string): Promise<{ readonly kind: string }> {
  const files = await readModelFolder(modelFolder);
  loadSherpa();
  await probeModel(sherpaConfig(modelFolder, files, 1));
  return { kind: files.kind };
}

async function load(modelFolder: string, threads: number): Promise<LoadedModel> {
  const files = await readModelFolder(modelFolder);
  const { OnlineRecognizer } = loadSherpa();
  const config = sherpaConfig(modelFolder, files, threads);
  await probeModel(config);
  return { recognizer: new OnlineRecognizer(config), timeScale: timeScale(modelFolder, files) };
}
