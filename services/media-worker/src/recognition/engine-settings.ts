import { CodedError } from '@earshot/async';
import type { ProxySettings } from '@earshot/service-process';
import { NO_PROXIES } from '@earshot/service-process';
import { z } from 'zod';
import type { AzureSpeechSettings, AzureVariables } from './azure-settings.js';
import { azureSpeechSettings } from './azure-settings.js';

/** Recognizers of dictation by the name that settings and events give them. */
export const DICTATION_ENGINES = ['azure-speech', 'openai', 'deepgram', 'sherpa-onnx'] as const;

export type DictationEngine = (typeof DICTATION_ENGINES)[number];

/** What the recognizers of a deployment are made of. Plain data: it goes to other threads. */
export interface EngineSettings {
  /** For dictation, the first that works is used; undefined: all that are set up. */
  readonly dictation: readonly DictationEngine[] | undefined;
  readonly azureSpeech: AzureSpeechSettings | undefined;
  readonly openAi: OpenAiSettings | undefined;
  readonly deepgram: DeepgramSettings | undefined;
  /** Folder of a streaming model of sherpa-onnx. */
  readonly modelFolder: string | undefined;
  /** Vendors are reached through these. */
  readonly proxies: ProxySettings;
}

export interface OpenAiSettings {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly model: string | undefined;
}

export interface DeepgramSettings {
  readonly apiKey: string;
  readonly baseUrl: string | undefined;
  readonly model: string | undefined;
}

/** No dictation. */
export const NO_ENGINES: EngineSettings = {
  dictation: undefined,
  azureSpeech: undefined,
  openAi: undefined,
  deepgram: undefined,
  modelFolder: undefined,
  proxies: NO_PROXIES,
};

const OPENAI_URL = 'https://api.openai.com/v1';

const engineNames = z
  .string()
  .transform((text) => text.split(',').map((name) => name.trim()))
  .pipe(z.array(z.enum(DICTATION_ENGINES, `must be of ${DICTATION_ENGINES.join(', ')}`)));

/** As it can stand in a header; from a file it often ends in a line break. */
const key = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]+$/, 'must be of printable ASCII characters without spaces');

/** Variables of the environment that set up recognizers. */
export interface EngineVariables extends AzureVariables {
  readonly EARSHOT_STT_ENGINES?: readonly DictationEngine[] | undefined;
  readonly EARSHOT_OPENAI_API_KEY?: string | undefined;
  readonly EARSHOT_OPENAI_BASE_URL?: string | undefined;
  readonly EARSHOT_OPENAI_MODEL?: string | undefined;
  readonly EARSHOT_DEEPGRAM_API_KEY?: string | undefined;
  readonly EARSHOT_DEEPGRAM_BASE_URL?: string | undefined;
  readonly EARSHOT_DEEPGRAM_MODEL?: string | undefined;
  readonly EARSHOT_STT_MODEL?: string | undefined;
}

/** How they are read, as part of the worker's. */
export const engineVariables: {
  readonly [Name in keyof Required<EngineVariables>]: z.ZodType<EngineVariables[Name]>;
} = {
  EARSHOT_STT_ENGINES: engineNames.optional(),
  EARSHOT_AZURE_SPEECH_KEY: key.optional(),
  EARSHOT_AZURE_SPEECH_REGION: z
    .string()
    .regex(/^[a-z0-9]{1,40}$/i, 'must be letters and digits, such as westeurope')
    .optional(),
  EARSHOT_AZURE_SPEECH_ENDPOINT: z.url({ protocol: /^(https?|wss?)$/ }).optional(),
  EARSHOT_AZURE_SPEECH_IDENTITY: z
    .string()
    .regex(
      /^(system|environment|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i,
      'must be system, environment, or the client id of a managed identity',
    )
    .optional(),
  EARSHOT_AZURE_SPEECH_RESOURCE_ID: z
    .string()
    .regex(/^\/subscriptions\//i, 'must be as the portal shows it: /subscriptions/…')
    .optional(),
  AZURE_TENANT_ID: z.string().optional(),
  AZURE_CLIENT_ID: z.string().optional(),
  AZURE_CLIENT_SECRET: z.string().optional(),
  AZURE_FEDERATED_TOKEN_FILE: z.string().optional(),
  AZURE_AUTHORITY_HOST: z.string().optional(),
  EARSHOT_OPENAI_API_KEY: key.optional(),
  EARSHOT_OPENAI_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  EARSHOT_OPENAI_MODEL: z.string().optional(),
  EARSHOT_DEEPGRAM_API_KEY: key.optional(),
  EARSHOT_DEEPGRAM_BASE_URL: z.url({ protocol: /^(https?|wss?)$/ }).optional(),
  EARSHOT_DEEPGRAM_MODEL: z.string().optional(),
  EARSHOT_STT_MODEL: z.string().optional(),
};

/**
 * What the variables say is set up.
 *
 * @throws CodedError `invalid_config`, naming what is missing.
 */
export function engineSettings(env: EngineVariables, proxies: ProxySettings): EngineSettings {
  const settings = {
    proxies,
    modelFolder: env.EARSHOT_STT_MODEL,
    dictation: env.EARSHOT_STT_ENGINES,
    azureSpeech: azureSpeechSettings(env),
    openAi: openAiSettings(env),
    deepgram:
      env.EARSHOT_DEEPGRAM_API_KEY === undefined
        ? undefined
        : {
            apiKey: env.EARSHOT_DEEPGRAM_API_KEY,
            baseUrl: env.EARSHOT_DEEPGRAM_BASE_URL,
            model: env.EARSHOT_DEEPGRAM_MODEL,
          },
  };
  for (const name of settings.dictation ?? []) {
    if (isSetUp(settings, name)) continue;
    // The next would be given what this one was chosen for.
    const rule = `EARSHOT_STT_ENGINES must name what is set up, ${name} is not`;
    throw new CodedError('invalid_config', `Cannot start the media worker: ${rule}`, {
      fix: 'Run earshot doctor to see what is missing.',
    });
  }
  return settings;
}

/** Recognizers of dictation that are set up, of those by these names; each once. */
export function enginesSetUp(
  settings: EngineSettings,
  names: readonly string[] = DICTATION_ENGINES,
): DictationEngine[] {
  const known = names.flatMap((name) => DICTATION_ENGINES.find((each) => each === name) ?? []);
  return [...new Set(known)].filter((name) => isSetUp(settings, name));
}

function isSetUp(settings: EngineSettings, name: DictationEngine): boolean {
  const { azureSpeech, openAi, deepgram, modelFolder } = settings;
  const of = { 'azure-speech': azureSpeech, openai: openAi, deepgram, 'sherpa-onnx': modelFolder };
  return of[name] !== undefined;
}

/** A server of one's own may need no key. */
function openAiSettings(env: EngineVariables): OpenAiSettings | undefined {
  const { EARSHOT_OPENAI_API_KEY: apiKey, EARSHOT_OPENAI_BASE_URL: baseUrl } = env;
  if (apiKey === undefined && baseUrl === undefined) return undefined;
  return { baseUrl: baseUrl ?? OPENAI_URL, apiKey, model: env.EARSHOT_OPENAI_MODEL };
}
