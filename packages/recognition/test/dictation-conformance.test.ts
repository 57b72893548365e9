import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { RecognizerUnderTest } from '../src/conformance/index.js';
import { recognizerConformance } from '../src/conformance/index.js';
import type { Recognizer } from '../src/index.js';
import {
  createAzureSpeech,
  createDeepgram,
  createFailover,
  createOpenAiTranscription,
} from '../src/index.js';
import { serveAzure } from './support/azure-server.js';
import { serveDeepgram } from './support/deepgram-server.js';
import { soundOf } from './support/speech.js';
import type { VendorServer } from './support/vendor-server.js';
import { PATIENT } from './support/vendor-server.js';

const DICTATION: Pick<RecognizerUnderTest, 'task' | 'language' | 'utterances'> = {
  task: { kind: 'dictation', partials: true },
  language: 'en-US',
  utterances: [soundOf(2000), soundOf(3000)],
};

/** One after the other, each its own service. */
function withVendor(
  serve: () => Promise<VendorServer>,
  create: (url: string) => Recognizer,
): RecognizerUnderTest {
  const servers: VendorServer[] = [];
  afterAll(async () => {
    for (const server of servers) await server.close();
  });
  const open = async (): Promise<VendorServer> => {
    const server = await serve();
    servers.push(server);
    return server;
  };
  return {
    ...DICTATION,
    create: async () => create((await open()).url),
    createBreakable: async () => {
      const server = await open();
      return {
        recognizer: create(server.url),
        break: () => {
          server.refuseWith = 401;
          server.crash();
        },
      };
    },
  };
}

describe('azure-speech', () => {
  const given = withVendor(serveAzure, (endpoint) =>
    createAzureSpeech({ key: 'k', endpoint, limits: PATIENT }),
  );
  it.each(recognizerConformance(given))('$name', ({ run }) => run());
});

describe('deepgram', () => {
  const given = withVendor(serveDeepgram, (baseUrl) =>
    createDeepgram({ apiKey: 'k', baseUrl, limits: PATIENT }),
  );
  it.each(recognizerConformance(given))('$name', ({ run }) => run());
});

describe('failover', () => {
  const given = withVendor(serveAzure, (endpoint) =>
    createFailover({
      recognizers: [createAzureSpeech({ key: 'k', endpoint, limits: PATIENT })],
      limits: { openMs: 600_000, finalMs: 600_000 },
    }),
  );
  it.each(recognizerConformance(given))('$name', ({ run }) => run());
});

describe('openai', () => {
  let status = 200;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          text: 'Yes.',
          language: 'english',
          duration: 1,
          segments: [{ start: 0, end: 1, text: ' Yes.', avg_logprob: -0.2, no_speech_prob: 0 }],
          words: [{ word: 'Yes', start: 0.2, end: 0.7 }],
        }),
      );
    });
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const create = (): Recognizer => {
    const { port } = server.address() as AddressInfo;
    return createOpenAiTranscription({ baseUrl: `http://127.0.0.1:${port}/v1` });
  };
  const given: RecognizerUnderTest = {
    ...DICTATION,
    create: () => {
      status = 200;
      return create();
    },
    createBreakable: () =>
      Promise.resolve({
        recognizer: create(),
        break: () => {
          status = 401;
        },
      }),
  };
  it.each(recognizerConformance(given))('$name', ({ run }) => run());
});
