import { execFile } from 'node:child_process';
import { CodedError } from '@earshot/async';
import { createOpusEngine, OPUS_ENGINES } from '@earshot/opus';
import type { AzureEntraTokens } from '@earshot/recognition';
import {
  checkSherpaModel,
  createAzureSpeech,
  createDeepgram,
  createOpenAiTranscription,
  createSoundSwallower,
} from '@earshot/recognition';
import { findProgram } from '@earshot/redis-server';
import { readProxySettings } from '@earshot/service-process';

export interface DoctorOptions {
  readonly json: boolean;
}

/** `missing`: not there, and nothing needs it. `broken`: there or needed, and it does not work. */
type State = 'ok' | 'missing' | 'broken';

interface Check {
  readonly name: string;
  readonly state: State;
  readonly detail: string;
  /** What to do; null when it is ok. */
  readonly fix: string | null;
  /** Earshot does not work as it is set up without it. */
  readonly isNeeded: boolean;
}

const MIN_NODE_MAJOR = 20;

/** `earshot doctor`: what is there of what Earshot can use. Tells no setting's value. */
export async function doctor({ json }: DoctorOptions): Promise<void> {
  const { env } = process;
  const checks = [
    node(),
    await redis(),
    ...(await opus()),
    await ffmpeg(),
    await soundSwallower(),
    await model(env),
    proxies(env),
    ...vendors(env),
    ...unknownEngines(env),
  ];
  const isOk = checks.every(({ state, isNeeded }) => state === 'ok' || !isNeeded);
  if (json) console.log(JSON.stringify({ ok: isOk, checks: checks.map(withoutNeed) }));
  else for (const check of checks) console.log(line(check));
  if (!isOk) process.exitCode = 1;
}

function node(): Check {
  const major = Number(process.versions.node.split('.')[0]);
  const detail = `version ${process.versions.node}`;
  if (major >= MIN_NODE_MAJOR) return ok('node', detail);
  return broken('node', detail, `Install Node ${MIN_NODE_MAJOR} or newer.`);
}

async function redis(): Promise<Check> {
  const { env } = process;
  if ((env['REDIS_URL'] ?? '') !== '') return ok('redis', 'REDIS_URL is set; it was not tried');
  try {
    const { source } = await findProgram({ env, onProgress: () => {} });
    return ok('redis', `a server program is there (${source})`);
  } catch (error) {
    return broken('redis', messageOf(error), 'Install redis-server or set REDIS_URL.');
  }
}

function ffmpeg(): Promise<Check> {
  const fix = 'Install ffmpeg to read other sound than WAV and Ogg/Opus.';
  return new Promise((resolve) => {
    execFile('ffmpeg', ['-version'], (error) => {
      resolve(error === null ? ok('ffmpeg', 'on PATH') : missing('ffmpeg', 'not on PATH', fix));
    });
  });
}

async function opus(): Promise<Check[]> {
  const checks: Check[] = [];
  for (const engine of OPUS_ENGINES) {
    const name = engine === OPUS_ENGINES[0] ? 'opus engine' : `opus engine ${engine}`;
    try {
      await createOpusEngine({ engine });
      checks.push(ok(name, engine));
    } catch (error) {
      const fix = 'Run npm run setup again.';
      const isDefault = engine === OPUS_ENGINES[0];
      checks.push((isDefault ? broken : missing)(name, messageOf(error), fix));
    }
  }
  return checks;
}

async function soundSwallower(): Promise<Check> {
  const name = 'soundswallower';
  const recognizer = createSoundSwallower();
  try {
    const session = await recognizer.open({
      task: { kind: 'phrases', phrases: ['yes'], jsgf: null },
      language: 'en-US',
      startMs: 0,
      endpointMs: 800,
      onResult: () => {},
      onFault: () => {},
    });
    await session.close();
    return ok(name, 'its English model loads');
  } catch (error) {
    return broken(name, messageOf(error), 'Run npm run setup again.');
  } finally {
    await recognizer.close();
  }
}

async function model(env: NodeJS.ProcessEnv): Promise<Check> {
  const name = 'EARSHOT_STT_MODEL';
  const fix = 'Unpack a streaming model of sherpa-onnx and name its folder in EARSHOT_STT_MODEL.';
  const isNeeded = engines(env).includes('sherpa-onnx');
  const folder = env[name] ?? '';
  if (folder === '') return { ...missing(name, 'not set', fix), isNeeded };
  try {
    const { kind } = await checkSherpaModel(folder);
    return ok(name, `a ${kind} model that loads`);
  } catch (error) {
    return { ...broken(name, messageOf(error), fix), isNeeded };
  }
}

/** By which way vendors, Graph and Entra ID are reached. */
function proxies(env: NodeJS.ProcessEnv): Check {
  const name = 'proxies';
  try {
    const { http, https, noProxy } = readProxySettings(env);
    const set = [
      ...(https === undefined ? [] : ['HTTPS_PROXY']),
      ...(http === undefined ? [] : ['HTTP_PROXY']),
    ];
    if (set.length === 0) return ok(name, 'none are set');
    const around = noProxy.length === 0 ? '' : `, with ${noProxy.length} exceptions in NO_PROXY`;
    return ok(name, `${set.join(' and ')} set${around}; not tried`);
  } catch (error) {
    return broken(name, messageOf(error), 'Set it to http://host:port, or to nothing.');
  }
}

/** Settings that each vendor needs, all of one of these lists; `create` throws over what they hold. */
const VENDORS = [
  {
    name: 'azure-speech',
    anyOf: [
      ['EARSHOT_AZURE_SPEECH_KEY', 'EARSHOT_AZURE_SPEECH_REGION'],
      ['EARSHOT_AZURE_SPEECH_KEY', 'EARSHOT_AZURE_SPEECH_ENDPOINT'],
      ['EARSHOT_AZURE_SPEECH_IDENTITY', 'EARSHOT_AZURE_SPEECH_ENDPOINT'],
      [
        'EARSHOT_AZURE_SPEECH_IDENTITY',
        'EARSHOT_AZURE_SPEECH_REGION',
        'EARSHOT_AZURE_SPEECH_RESOURCE_ID',
      ],
    ],
    create: (setting: SettingOf) =>
      createAzureSpeech({
        key: setting('EARSHOT_AZURE_SPEECH_KEY'),
        entra: entra(setting),
        region: setting('EARSHOT_AZURE_SPEECH_REGION'),
        endpoint: setting('EARSHOT_AZURE_SPEECH_ENDPOINT'),
      }),
  },
  {
    name: 'openai',
    anyOf: [['EARSHOT_OPENAI_BASE_URL'], ['EARSHOT_OPENAI_API_KEY']],
    create: (setting: SettingOf) =>
      createOpenAiTranscription({
        apiKey: setting('EARSHOT_OPENAI_API_KEY'),
        baseUrl: setting('EARSHOT_OPENAI_BASE_URL') ?? 'https://api.openai.com/v1',
      }),
  },
  {
    name: 'deepgram',
    anyOf: [['EARSHOT_DEEPGRAM_API_KEY']],
    create: (setting: SettingOf) =>
      createDeepgram({
        apiKey: setting('EARSHOT_DEEPGRAM_API_KEY') ?? '',
        baseUrl: setting('EARSHOT_DEEPGRAM_BASE_URL'),
      }),
  },
] as const;

/** Of a variable of the environment; undefined when it is set to nothing, too. */
type SettingOf = (variable: string) => string | undefined;

/** Who would ask Entra ID for tokens; undefined when nobody would. */
function entra(setting: SettingOf): AzureEntraTokens | undefined {
  const identity = setting('EARSHOT_AZURE_SPEECH_IDENTITY');
  if (identity === undefined) return undefined;
  const proof = setting('AZURE_FEDERATED_TOKEN_FILE') ?? setting('AZURE_CLIENT_SECRET');
  const all = [setting('AZURE_TENANT_ID'), setting('AZURE_CLIENT_ID'), proof];
  if (identity === 'environment' && all.includes(undefined)) {
    const rule =
      'Cannot get tokens: AZURE_TENANT_ID, AZURE_CLIENT_ID, and AZURE_FEDERATED_TOKEN_FILE or AZURE_CLIENT_SECRET must be set';
    throw new CodedError('invalid_config', rule);
  }
  const resourceId = setting('EARSHOT_AZURE_SPEECH_RESOURCE_ID');
  return { resourceId, token: () => Promise.reject(new Error('not tried')) };
}

function vendors(env: NodeJS.ProcessEnv): Check[] {
  const setting: SettingOf = (variable) => (env[variable] === '' ? undefined : env[variable]);
  return VENDORS.map(({ name, anyOf, create }) => {
    const isSet = anyOf.some((all) => all.every((name) => setting(name) !== undefined));
    if (isSet) {
      try {
        create(setting);
        return ok(name, 'its settings are there; they were not tried');
      } catch (error) {
        return broken(name, messageOf(error), 'Check its settings.');
      }
    }
    const isNeeded = engines(env).includes(name);
    const fix = `Set ${anyOf.map((all) => all.join(' and ')).join(', or ')}.`;
    const detail = 'not all of its settings are there';
    return isNeeded ? broken(name, detail, fix) : missing(name, detail, fix);
  });
}

function unknownEngines(env: NodeJS.ProcessEnv): Check[] {
  const known = ['sherpa-onnx', ...VENDORS.map(({ name }) => name)];
  const unknown = engines(env).filter((name) => !known.includes(name));
  if (unknown.length === 0) return [];
  const detail = `${unknown.length} of the names are of no recognizer`;
  return [broken('EARSHOT_STT_ENGINES', detail, `Name those of ${known.join(', ')}.`)];
}

function engines(env: NodeJS.ProcessEnv): string[] {
  const names = env['EARSHOT_STT_ENGINES'] ?? '';
  return names === '' ? [] : names.split(',').map((name) => name.trim());
}

function ok(name: string, detail: string): Check {
  return { name, state: 'ok', detail, fix: null, isNeeded: true };
}

function missing(name: string, detail: string, fix: string): Check {
  return { name, state: 'missing', detail, fix, isNeeded: false };
}

function broken(name: string, detail: string, fix: string): Check {
  return { name, state: 'broken', detail, fix, isNeeded: true };
}

function withoutNeed({ name, state, detail, fix }: Check): Omit<Check, 'isNeeded'> {
  return { name, state, detail, fix };
}

function line({ name, state, detail, fix }: Check): string {
  const told = `${state.padEnd(8)} ${name.padEnd(24)} ${detail}`;
  return fix === null ? told : `${told}. ${fix}`;
}

function messageOf(error: unknown): string {
  return error instanceof CodedError ? `${error.message} [${error.code}]` : 'does not load';
}
