import type { Recognizer } from '@earshot/recognition';
import {
  createAzureSpeech,
  createDeepgram,
  createFailover,
  createOpenAiTranscription,
  createSherpaOnnx,
  createSoundSwallower,
} from '@earshot/recognition';
import type { DictationEngine, EngineSettings } from './engine-settings.js';
import { DICTATION_ENGINES } from './engine-settings.js';
import type { ListenTask } from './recognition-messages.js';
import type { Recognizers } from './recognizer-host.js';

/** Makes the recognizers of this deployment, for one thread. What costs is loaded when it is used. */
export async function createRecognizers(settings: EngineSettings): Promise<Recognizers> {
  return new DeploymentRecognizers(settings);
}

class DeploymentRecognizers implements Recognizers {
  readonly #settings: EngineSettings;
  readonly #engines = new Map<string, Recognizer | undefined>();
  /** By the names that a call asks for. */
  readonly #dictation = new Map<string, Recognizer | undefined>();
  #phrases: Recognizer | undefined;

  constructor(settings: EngineSettings) {
    this.#settings = settings;
  }

  recognizerFor({ task, engines }: ListenTask): Recognizer | undefined {
    if (task.kind === 'phrases') {
      this.#phrases ??= createSoundSwallower();
      return this.#phrases;
    }
    const names = engines ?? this.#settings.dictation ?? DICTATION_ENGINES;
    const key = names.join();
    if (!this.#dictation.has(key)) this.#dictation.set(key, this.#firstOf(names));
    return this.#dictation.get(key);
  }

  async close(): Promise<void> {
    const all = [this.#phrases, ...this.#engines.values()];
    await Promise.all(all.map((each) => each?.close()));
  }

  /** One after the other, as far as they are set up. */
  #firstOf(names: readonly string[]): Recognizer | undefined {
    const recognizers = names.flatMap((name) => this.#engine(name) ?? []);
    return recognizers.length === 0 ? undefined : createFailover({ recognizers });
  }

  /** Undefined when it is not set up, or not known. */
  #engine(name: string): Recognizer | undefined {
    const known = DICTATION_ENGINES.find((each) => each === name);
    if (known === undefined) return undefined;
    if (!this.#engines.has(known)) this.#engines.set(known, this.#create(known));
    return this.#engines.get(known);
  }

  #create(name: DictationEngine): Recognizer | undefined {
    const { azureSpeech, openAi, deepgram, modelFolder } = this.#settings;
    switch (name) {
      case 'azure-speech':
        return azureSpeech === undefined ? undefined : createAzureSpeech(azureSpeech);
      case 'openai':
        return openAi === undefined ? undefined : createOpenAiTranscription(openAi);
      case 'deepgram':
        return deepgram === undefined ? undefined : createDeepgram(deepgram);
      case 'sherpa-onnx':
        return modelFolder === undefined ? undefined : createSherpaOnnx({ modelFolder });
    }
  }
}
