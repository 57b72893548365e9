// The process that fuzzes: a codec that brings its process down leaves the parent to tell of it.
import process from 'node:process';
import { CodedError } from '@earshot/async';
import type { FuzzMessage } from './fuzz-message.js';
import { parseFuzzOptions } from './fuzz-options.js';
import { fuzzOpus } from './fuzz-opus.js';

try {
  const summary = await fuzzOpus(parseFuzzOptions(process.argv.slice(2)), ({ runs }) =>
    send({ kind: 'progress', runs }),
  );
  send({ kind: 'summary', summary });
} catch (error) {
  if (!(error instanceof CodedError)) throw error;
  send({ kind: 'failure', code: error.code, message: error.message });
}
process.disconnect();

function send(message: FuzzMessage): void {
  process.send?.(message);
}
