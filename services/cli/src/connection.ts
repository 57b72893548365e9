import { CodedError } from '@earshot/async';
import type { RunInfo } from './run-folder.js';
import { newestRun } from './run-folder.js';
import { SignalingClient } from './signaling-client.js';

/** How to reach the newest run of this checkout. @throws CodedError `nothing_running` */
export function connection(): RunInfo {
  const run = newestRun();
  if (run !== undefined) return run;
  throw new CodedError(
    'nothing_running',
    'Cannot attach: a running Earshot is needed, none was found in this checkout',
    { fix: 'Start one with npm start, or set EARSHOT_URL (and EARSHOT_API_KEY).' },
  );
}

/** A client of the signaling service at `EARSHOT_URL`, else of the newest run. */
export function signalingClient(): SignalingClient {
  const url = process.env['EARSHOT_URL'];
  if (url !== undefined && url !== '') {
    return new SignalingClient({ url, apiKey: process.env['EARSHOT_API_KEY'] });
  }
  const run = connection();
  return new SignalingClient({ url: run.signalingUrl, apiKey: run.apiKey });
}
