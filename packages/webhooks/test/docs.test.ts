import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RETRY_SCHEDULE_MS } from '../src/retry.js';
import { generateSecret, signatureHeaders } from '../src/signature.js';

const text = readFileSync(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8');
const body = '{"type":"tone.detected","participant":{"displayName":"Zoë"}}';
const secret = generateSecret();

function example(language: string): string {
  const block = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(text)?.[1];
  if (block === undefined) throw new Error(`no example in ${language}`);
  return block;
}

/** Requests, and whether they are good. */
function cases(): { headers: Record<string, string>; body: string; isGood: boolean }[] {
  const sign = (timestampMs: number, secrets: readonly string[]) =>
    signatureHeaders({ id: 'msg_1', body, timestampMs }, secrets);
  const now = Date.now();
  return [
    { headers: sign(now, [secret]), body, isGood: true },
    { headers: sign(now, [generateSecret(), secret]), body, isGood: true },
    { headers: sign(now, [generateSecret()]), body, isGood: false },
    { headers: sign(now, [secret]), body: `${body} `, isGood: false },
    { headers: { ...sign(now, [secret]), 'webhook-id': 'msg_2' }, body, isGood: false },
    { headers: sign(now - 400_000, [secret]), body, isGood: false },
    { headers: {}, body, isGood: false },
  ];
}

describe('docs/webhooks.md', () => {
  it.each([
    [
      'js',
      process.execPath,
      [
        ...['--input-type=module', '-e'],
        `${example('js')}
        const { cases, secret } = JSON.parse(process.argv[1]);
        const good = cases.map(({ headers, body }) => isFromEarshot(headers, Buffer.from(body), secret));
        console.log(JSON.stringify(good));`,
      ],
    ],
    [
      'python',
      'python3',
      [
        '-c',
        `${example('python')}
import json, sys
given = json.loads(sys.argv[1])
print(json.dumps([is_from_earshot(c["headers"], c["body"].encode(), given["secret"]) for c in given["cases"]]))`,
      ],
    ],
  ])('has an example in %s that tells good from bad', (_language, command, args) => {
    const tried = cases();
    const all = [...args, JSON.stringify({ cases: tried, secret })];
    // Nothing else can end it: the test's own time limit does not come due while it is waited for.
    const output = execFileSync(command, all, { timeout: 25_000, killSignal: 'SIGKILL' });
    expect(JSON.parse(output.toString())).toEqual(tried.map(({ isGood }) => isGood));
  });

  it('publishes the schedule that is kept', () => {
    const row = /^\| next one in .*$/m.exec(text)?.[0] ?? '';
    const units: Record<string, number> = { s: 1_000, min: 60_000, h: 3_600_000 };
    const published = [...row.matchAll(/(\d+) (s|min|h) /g)].map(
      ([, count, unit]) => Number(count) * (units[unit ?? ''] ?? 0),
    );
    expect(published).toEqual(RETRY_SCHEDULE_MS);
  });
});
