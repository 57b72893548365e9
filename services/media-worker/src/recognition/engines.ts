import type { FailoverSwitch, Recognizer } from '@earshot/recognition';
import {
  createAzureSpeech,
  createDeepgram,
  createFailover,
  createOpenAiTranscription,
  createSherpaOnnx,
  createSoundSwallower,
} from '@earshot/recognition';
import type { ProxySettings } from '@earshot/service-process';
import type { AzureSpeechSettings } from './azure-settings.js';
import type { DictationEngine, EngineSettings } from './engine-settings.js';
import { enginesSetUp } from './engine-settings.js';
import type { EntraTokens } from './entra-tokens.js';
import { openEntraTokens } from './entra-tokens.js';
import type { ListenTask, SwitchCount } from './recognition-messages.js';
import type { Recognizers } from './recognizer-host.js';
import { sumSwitches } from './sum-engines.js';

/** Makes the recognizers of this deployment, for one thread. What costs is loaded when it is used. */
export async function createRecognizers(settings: EngineSettings): Promise<Recognizers> {
  return new DeploymentRecognizers(settings);
}

class DeploymentRecognizers implements Recognizers {
  readonly #settings: EngineSettings;
  readonly #engines = new Map<DictationEngine, Recognizer | undefined>();
  /** By the names that a call asks for. */
  readonly #dictation = new Map<string, Recognizer | undefined>();
  #switches: readonly SwitchCount[] = [];
  #phrases: Recognizer | undefined;
  #tokens: EntraTokens | undefined;

  constructor(settings: EngineSettings) {
    this.#settings = settings;
  }

  recognizerFor({ task, engines }: ListenTask): Recognizer | undefined {
    if (task.kind === 'phrases') {
      this.#phrases ??= createSoundSwallower();
      return this.#phrases;
    }
    const names = enginesSetUp(this.#settings, engines ?? this.#settings.dictation);
    const key = names.join();
    if (!this.#dictation.has(key)) this.#dictation.set(key, this.#firstOf(names));
    return this.#dictation.get(key);
  }

  switches(): readonly SwitchCount[] {
    return this.#switches;
  }

  async close(): Promise<void> {
    const all = [this.#phrases, ...this.#engines.values()];
    await Promise.all(all.map((each) => each?.close()));
    await this.#tokens?.close();
  }

  /** One after the other, as far as they are set up. */
  #firstOf(names: readonly DictationEngine[]): Recognizer | undefined {
    const recognizers = names.flatMap((name) => this.#engine(name) ?? []);
    if (recognizers.length === 0) return undefined;
    const onSwitch = ({ from, to, reason }: FailoverSwitch): void => {
      const one = { from, to: to ?? 'none', reason, count: 1 };
      this.#switches = sumSwitches([...this.#switches, one]);
    };
    return createFailover({ recognizers, onSwitch });
  }

  /** Undefined when it is not set up. */
  #engine(name: DictationEngine): Recognizer | undefined {
    if (!this.#engines.has(name)) this.#engines.set(name, this.#create(name));
    return this.#engines.get(name);
  }

  #create(name: DictationEngine): Recognizer | undefined {
    const { azureSpeech, openAi, deepgram, modelFolder, proxies } = this.#settings;
    switch (name) {
      case 'azure-speech':
        return azureSpeech === undefined ? undefined : this.#azureSpeech(azureSpeech, proxies);
      case 'openai':
        return openAi === undefined ? undefined : createOpenAiTranscription({ ...openAi, proxies });
      case 'deepgram':
        return deepgram === undefined ? undefined : createDeepgram({ ...deepgram, proxies });
      case 'sherpa-onnx':
        return modelFolder === undefined ? undefined : createSherpaOnnx({ modelFolder });
    }
  }

  #azureSpeech({ entra, ...settings }: AzureSpeechSettings, proxies: ProxySettings): Recognizer {
    if (entra !== undefined) this.#tokens ??= openEntraTokens(entra, proxies);
    return createAzureSpeech({ ...settings, entra: this.#tokens, proxies });
  }
}
