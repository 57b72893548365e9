// Has a second of sound recognized by two vendors behind a proxy, and prints what they understood. A process of its
// own: Node reads whom it trusts when it starts.
import { createAzureSpeech, createOpenAiTranscription } from '../../dist/index.js';

const { azure, openai, proxies } = JSON.parse(process.argv[2] ?? '{}');
const recognizers = [
  createAzureSpeech({ key: 'key', endpoint: azure, proxies }),
  createOpenAiTranscription({ baseUrl: openai, apiKey: 'key', proxies }),
];
/** @type {string[]} */
const texts = [];
for (const recognizer of recognizers) {
  const session = await recognizer.open({
    task: { kind: 'dictation', partials: false },
    language: 'en-US',
    startMs: 0,
    endpointMs: 800,
    onResult: (result) => texts.push(result.text),
    onFault: ({ code, message }) => texts.push(`${code}: ${message}`),
  });
  session.push(new Int16Array(16_000).fill(500));
  await session.endUtterance();
  await recognizer.close();
}
console.log(JSON.stringify(texts));
