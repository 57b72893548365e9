import { once } from 'node:events';
import http from 'node:http';
import type { Duplex } from 'node:stream';
import { VirtualClock } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { MediaTokens } from '@earshot/media-token';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bench, BRIDGE_KEY } from './test-bench.js';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(() => bench.close());

function upgrade(token: string | undefined, { worker } = bench): http.ClientRequest {
  return http.get(worker.mediaUrl.replace(/^ws/, 'http'), {
    headers: {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-protocol': 'earshot.media.v1',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
  });
}

/** A link that says no hello. */
async function upgraded(token: string, on: Bench): Promise<Duplex> {
  const socket: Duplex = (await once(upgrade(token, on), 'upgrade'))[1];
  return socket;
}

/** How an upgrade with this token is answered, when it is refused. */
async function refusalOf(
  token: string | undefined,
  on = bench,
): Promise<{ status: number; code: unknown }> {
  const response: http.IncomingMessage = (await once(upgrade(token, on), 'response'))[0];
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode ?? 0, code: JSON.parse(text).code };
}

describe('a worker refuses', () => {
  it('a token that is missing, malformed, expired, of another key or for another worker', async () => {
    const { callId, epoch } = await bench.place();
    const claims = { callId, epoch, workerId: bench.worker.workerId };
    const past = new MediaTokens({ key: BRIDGE_KEY, clock: new VirtualClock() });
    const stranger = new MediaTokens({ key: new Uint8Array(32).fill(8), clock: systemClock });
    expect(await refusalOf(undefined)).toEqual({ status: 401, code: 'missing' });
    expect(await refusalOf('nonsense')).toEqual({ status: 401, code: 'malformed' });
    expect(await refusalOf(await past.mint(claims))).toEqual({ status: 401, code: 'expired' });
    const forged = await stranger.mint(claims);
    expect(await refusalOf(forged)).toEqual({ status: 401, code: 'wrong_signature' });
    const elsewhere = await bench.tokens.mint({ ...claims, workerId: 'w_other' });
    expect(await refusalOf(elsewhere)).toEqual({ status: 401, code: 'wrong_worker' });
  });

  it('a token that was used, and a resume token that is not the last one', async () => {
    const placed = await bench.place();
    const first = await bench.dial(placed).connect();
    expect(await refusalOf(placed.token)).toEqual({ status: 401, code: 'replayed' });
    const old = first.welcome?.resumeToken;
    await first.client.close(4999, 'test_break');
    const second = await bench.dial(placed).connect();
    expect(await refusalOf(old)).toEqual({ status: 401, code: 'replayed' });
    expect(await refusalOf(placed.token)).toEqual({ status: 401, code: 'replayed' });
    const last = second.welcome?.resumeToken;
    await second.bye();
    await bench.stopped(placed.callId);
    expect(await refusalOf(last)).toEqual({ status: 401, code: 'expired' });
  });

  it('a resume token that another worker made, though the key is the same', async () => {
    const { callId, epoch } = await bench.place();
    const claims = { callId, epoch, workerId: bench.worker.workerId };
    const forged = await bench.tokens.mint({ ...claims, use: 'resume' });
    expect(await refusalOf(forged)).toEqual({ status: 401, code: 'expired' });
  });

  it('the later hello of two links that came with one token', async () => {
    const { callId, epoch, token } = await bench.place();
    const both = [0, 1].map(() => bench.dial({ callId, epoch, token }).connect());
    const results = await Promise.allSettled(both);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(1);
    expect(refused[0]?.reason).toMatchObject({ code: 'unauthorized' });
    const opened = results.find((result) => result.status === 'fulfilled');
    await opened?.value.bye();
  });

  it('more connections of an address than may wait for their welcome', async () => {
    // Nobody connected there before, and on this clock no hello is late.
    const clock = new VirtualClock(Date.now());
    await using few = await Bench.start({ maxPendingPerAddress: 3 }, { clock });
    const { token } = await few.place();
    const waiting = await Promise.all([1, 2, 3].map(() => upgraded(token, few)));
    expect(await refusalOf(token, few)).toEqual({ status: 429, code: 'too_many_connections' });
    for (const socket of waiting) socket.destroy();
  });
});
