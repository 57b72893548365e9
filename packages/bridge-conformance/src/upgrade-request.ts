import http from 'node:http';
import https from 'node:https';
import type { Clock } from '@earshot/async';
import { NotApplicable } from './outcome.js';

/** How a server answered an upgrade request. */
export interface UpgradeAnswer {
  /** 101 when it agreed. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Headers of a proper upgrade request; undefined leaves one out. */
export function upgradeHeaders(
  changes: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'ZWFyc2hvdC1jb25mb3JtMA==',
    ...changes,
  };
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * Sends an upgrade request as it is and hangs up on the answer.
 *
 * @throws NotApplicable when the server can't be reached or says nothing.
 */
export function requestUpgrade(
  url: string,
  headers: Readonly<Record<string, string>>,
  { clock, withinMs }: { readonly clock: Clock; readonly withinMs: number },
): Promise<UpgradeAnswer> {
  const { request } = url.startsWith('wss:') ? https : http;
  return new Promise((resolve, reject) => {
    const sent = request(url.replace(/^ws/, 'http'), { headers });
    sent.once('upgrade', (answer, socket) => {
      socket.destroy();
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: '' });
    });
    sent.once('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', () => sent.destroy());
      answer.once('end', () => {
        const body = Buffer.concat(chunks).toString();
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body });
        sent.destroy();
      });
    });
    const cancel = clock.at(clock.nowMs() + withinMs, () => {
      sent.destroy(new Error(`no answer within ${withinMs} ms`));
    });
    sent.once('close', cancel);
    sent.once('error', (error) => reject(new NotApplicable(`not reachable: ${error.message}`)));
    sent.end();
  });
}
