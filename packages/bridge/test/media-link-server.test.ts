import { CLOSE, LIMITS, MEDIA_SUBPROTOCOL } from '@earshot/bridge-protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MediaLinkHandlers } from '../src/index.js';
import { Deferred, RawPeer } from './kit.js';
import { batch, hello, MediaWorld, RecordingHandlers, tokenOf } from './media-kit.js';

const streamOpen = {
  type: 'streamOpen',
  streamId: 1,
  kind: 'unmixed',
  sourceId: '201',
  codec: 'opus',
  sampleRateHz: 16_000,
  firstSequence: 0,
};

let world: MediaWorld;
beforeEach(async () => {
  world = await MediaWorld.start();
});
afterEach(() => world.close());

describe('the handshake', () => {
  test('hello is answered by welcome with the positions that open returned', async () => {
    const peer = await world.connect();
    peer.send(hello);
    expect(await peer.next()).toEqual({
      type: 'welcome',
      version: 1,
      workerId: 'w-1',
      creditFrames: 3000,
      pingIntervalMs: 5000,
      resume: [{ streamId: 1, durableSequence: 42 }],
    });
    const session = await world.handlers[0]?.opened.next();
    expect(session).toMatchObject({ callId: 'c_1', epoch: 1, hello });
    expect(world.server.sessions).toBe(1);
  });

  test('a hello of another call or epoch than the token is closed with 4401', async () => {
    for (const [change, reason] of [
      [{ callId: 'c_2' }, 'wrong_call'],
      [{ epoch: 2 }, 'wrong_epoch'],
      [{ callId: 'c_2', epoch: 2 }, 'wrong_call'],
    ] as const) {
      const peer = await world.connect();
      peer.send({ ...hello, ...change });
      expect(await peer.closed).toEqual({ code: 4401, reason });
    }
    expect(world.handlers).toHaveLength(0);
  });

  test('a peer that says nothing is closed with 4408 after 5 s', async () => {
    const peer = await world.connect();
    world.clock.advance(LIMITS.helloTimeoutMs - 1);
    peer.socket.ping();
    await new Promise((resolve) => peer.socket.once('pong', resolve));
    world.clock.advance(1);
    expect(await peer.closed).toEqual({ code: 4408, reason: 'hello_timeout' });
    expect(world.clock.pending).toBe(0);
  });

  test.each([
    ['frames', batch(1), 4400, 'frames_before_welcome'],
    ['a ping', '{"type":"ping","id":1,"clockNowTicks":"1"}', 4400, 'message_before_welcome'],
    ['an unknown type', '{"type":"mark"}', 4400, 'unsupported_type'],
    ['no JSON', 'hello', 4400, 'invalid_json'],
    ['another version', JSON.stringify({ ...hello, version: 2 }), 4426, 'unsupported_version'],
    ['a message too large', new Uint8Array(LIMITS.maxMessageBytes + 1), 4413, 'too_large'],
    ['a long hello', JSON.stringify({ ...hello, x: 'x'.repeat(65_536) }), 4413, 'too_large'],
    ['a broken hello', JSON.stringify({ ...hello, epoch: -1 }), 4400, 'invalid_message'],
  ])('%s instead of hello closes the link', async (_name, data, code, reason) => {
    const peer = await world.connect();
    peer.socket.send(data);
    expect(await peer.closed).toEqual({ code, reason });
    expect(world.handlers).toHaveLength(0);
  });

  test('more bytes than any message has are not waited for', async () => {
    const peer = await world.connect();
    peer.socket.send(new Uint8Array(2 * LIMITS.maxMessageBytes + 1));
    expect((await peer.closed).code).toBe(1009);
    expect(world.handlers).toHaveLength(0);
  });

  test('a refusal is told as an error, then closed with its code', async () => {
    const busy = await MediaWorld.start({
      accept: async () => ({ closeCode: CLOSE.busy, code: 'worker_busy', message: 'No room' }),
    });
    const peer = await busy.connect();
    peer.send(hello);
    expect(await peer.next()).toEqual({ type: 'error', code: 'worker_busy', message: 'No room' });
    expect(await peer.closed).toEqual({ code: 4429, reason: 'worker_busy' });
    expect(busy.server.sessions).toBe(0);
    await busy.close();
  });

  test('an accept that fails closes with 4500 and says nothing of why', async () => {
    const failing = await MediaWorld.start({ accept: () => Promise.reject(new Error('secret')) });
    const peer = await failing.connect();
    peer.send(hello);
    expect(await peer.closed).toEqual({ code: 4500, reason: 'internal' });
    await failing.close();
  });
});

describe('while accept is under way', () => {
  let asked: Deferred<void>;
  let accepted: Deferred<MediaLinkHandlers>;
  let slow: MediaWorld;
  let peer: RawPeer;
  const handlers = (): RecordingHandlers => new RecordingHandlers();

  beforeEach(async () => {
    asked = new Deferred();
    accepted = new Deferred();
    slow = await MediaWorld.start({
      accept: () => {
        asked.resolve();
        return accepted.promise;
      },
    });
    peer = await slow.connect();
    peer.send(hello);
    await asked.promise;
  });
  afterEach(() => slow.close());

  test('frames are a protocol error, and the late handlers only hear of the end', async () => {
    peer.socket.send(batch(1));
    expect(await peer.closed).toEqual({ code: 4400, reason: 'frames_before_welcome' });
    const late = handlers();
    accepted.resolve(late);
    expect(await late.ends.next()).toEqual({ code: 4400, reason: 'frames_before_welcome' });
    expect(late.opened.seen).toHaveLength(0);
    expect(late.batches.seen).toHaveLength(0);
    expect(slow.server.sessions).toBe(0);
  });

  test('a second hello is a protocol error', async () => {
    peer.send(hello);
    expect(await peer.closed).toEqual({ code: 4400, reason: 'hello_repeated' });
  });

  test('handlers may end the link from open, and are told once', async () => {
    const closing = handlers();
    const open = closing.open.bind(closing);
    closing.open = (session) => {
      session.close(CLOSE.conflict, 'call_ending');
      return open(session);
    };
    accepted.resolve(closing);
    expect(await peer.closed).toEqual({ code: 4409, reason: 'call_ending' });
    expect(await closing.ends.next()).toEqual({ code: 4409, reason: 'call_ending' });
    expect(closing.ends.seen).toHaveLength(1);
  });

  test('a message sent from open is our bug and ends the link with 4500', async () => {
    const early = handlers();
    early.open = (session) => {
      session.send({ type: 'finished' });
      return { resume: [] };
    };
    accepted.resolve(early);
    expect(await peer.closed).toEqual({ code: 4500, reason: 'internal' });
    expect((await early.ends.next()).code).toBe(4500);
  });
});

describe('an open link', () => {
  test('delivers frames in their order, and their bytes', async () => {
    const { peer, handlers } = await world.join();
    peer.socket.send(batch(1, 2, 3));
    peer.socket.send(batch());
    peer.socket.send(batch(4));
    expect(await handlers.batches.next()).toEqual([1, 2, 3]);
    expect(await handlers.batches.next()).toEqual([]);
    expect(await handlers.batches.next()).toEqual([4]);
    expect(handlers.payloads).toEqual(['1 7', '2 7', '3 7', '4 7']);
  });

  test('delivers a message that came in fragments', async () => {
    const { peer, handlers } = await world.join();
    const bytes = batch(1, 2);
    peer.socket.send(bytes.subarray(0, 9), { fin: false });
    peer.socket.send(bytes.subarray(9), { fin: true });
    expect(await handlers.batches.next()).toEqual([1, 2]);
  });

  test('delivers control messages as they are, without unknown fields', async () => {
    const { peer, handlers } = await world.join();
    peer.send({ ...streamOpen, colour: 'red' });
    expect(await handlers.messages.next()).toEqual(streamOpen);
    peer.send({ type: 'dominantSpeaker', sourceId: null, captureTicks: '5' });
    expect(await handlers.messages.next()).toMatchObject({ type: 'dominantSpeaker' });
  });

  test('answers a ping with a pong that echoes it, and says that it came', async () => {
    const { peer, handlers } = await world.join();
    peer.send({ type: 'ping', id: 7, clockNowTicks: '123' });
    expect(await peer.next()).toEqual({ type: 'pong', id: 7, clockNowTicks: '123' });
    expect(handlers.messages.seen).toHaveLength(0);
    expect(handlers.pings).toBe(1);
  });

  test('answers an unknown type with unsupported and goes on', async () => {
    const { peer, handlers } = await world.join();
    peer.send({ type: 'mark', name: 'a' });
    expect(await peer.next()).toEqual({ type: 'unsupported', what: 'mark' });
    peer.socket.send(batch(1));
    expect(await handlers.batches.next()).toEqual([1]);
  });

  test('ends by bye, finished and a clean close', async () => {
    const { peer, handlers } = await world.join();
    const session = await handlers.opened.next();
    peer.send({ type: 'bye', reason: 'callEnded' });
    expect(await handlers.messages.next()).toEqual({ type: 'bye', reason: 'callEnded' });
    session.send({ type: 'finished' });
    session.close(CLOSE.normal, 'finished');
    expect(handlers.ends.seen).toHaveLength(0);
    expect(await peer.next()).toEqual({ type: 'finished' });
    expect(await peer.closed).toEqual({ code: 1000, reason: 'finished' });
    expect(await handlers.ends.next()).toEqual({ code: 1000, reason: 'finished' });
    session.send({ type: 'finished' });
    session.close(CLOSE.normal, 'again');
    expect(handlers.ends.seen).toHaveLength(1);
    expect(world.server.sessions).toBe(0);
    expect(world.clock.pending).toBe(0);
  });

  test('tells of a connection that broke', async () => {
    const { peer, handlers } = await world.join();
    peer.socket.terminate();
    expect((await handlers.ends.next()).code).toBe(1006);
  });

  test('is closed with 4408 when the host falls silent for two intervals', async () => {
    const { peer, handlers } = await world.join();
    world.clock.advance(LIMITS.pingIntervalMs * 2);
    peer.send({ type: 'ping', id: 1, clockNowTicks: '1' });
    await peer.next();
    world.clock.advance(LIMITS.pingIntervalMs * 2);
    peer.socket.send(batch(1));
    await handlers.batches.next();
    world.clock.advance(LIMITS.pingIntervalMs * 3);
    expect(await peer.closed).toEqual({ code: 4408, reason: 'peer_silent' });
    expect(await handlers.ends.next()).toEqual({ code: 4408, reason: 'peer_silent' });
    expect(world.clock.pending).toBe(0);
  });

  test('is closed with 4429 when the host leaves messages unread', async () => {
    const { handlers } = await world.join();
    const session = await handlers.opened.next();
    const message = 'x'.repeat(4000);
    for (let n = 0; n < 1000; n += 1) session.send({ type: 'error', code: 'test', message });
    expect(await handlers.ends.next()).toEqual({ code: 4429, reason: 'messages_unread' });
  });

  test('is closed with 1001 when the server closes', async () => {
    const { peer, handlers } = await world.join();
    await world.server.close();
    expect(await peer.closed).toEqual({ code: 1001, reason: 'server_closing' });
    expect((await handlers.ends.next()).code).toBe(1001);
  });
});

describe('a host that breaks the rules', () => {
  test.each([
    ['garbage', Uint8Array.of(9, 9, 9, 9), 4426, 'unsupported_version'],
    ['a cut message', batch(1, 2).subarray(0, 30), 4400, 'truncated'],
    ['a message too large', new Uint8Array(LIMITS.maxMessageBytes + 1), 4413, 'too_large'],
    ['no JSON', '{', 4400, 'invalid_json'],
    ['a broken message', '{"type":"bye"}', 4400, 'invalid_message'],
    ['a long message', JSON.stringify({ type: 'x', x: 'x'.repeat(65_536) }), 4413, 'too_large'],
    ['a second hello', JSON.stringify(hello), 4400, 'hello_repeated'],
    [
      'a close of no stream',
      '{"type":"streamClose","streamId":1,"nextSequence":0}',
      4400,
      'stream_not_open',
    ],
  ])('%s closes its own link only', async (_name, data, code, reason) => {
    const other = await world.join('c_2');
    const { peer, handlers } = await world.join();
    peer.socket.send(data);
    expect(await peer.closed).toEqual({ code, reason });
    expect(await handlers.ends.next()).toEqual({ code, reason });
    expect(handlers.batches.seen).toHaveLength(0);
    other.peer.socket.send(batch(1));
    expect(await other.handlers.batches.next()).toEqual([1]);
  });

  test('a message far too large is refused before it is read', async () => {
    const { peer, handlers } = await world.join();
    peer.socket.send(new Uint8Array(LIMITS.maxMessageBytes * 2 + 1));
    expect((await peer.closed).code).toBe(1009);
    expect(await handlers.ends.next()).toEqual({ code: 4413, reason: 'too_large' });
  });

  test('text that is no UTF-8 closes the link', async () => {
    const { peer, handlers } = await world.join();
    peer.socket.send(Uint8Array.of(0xff, 0xfe), { binary: false });
    expect((await peer.closed).code).toBe(1007);
    expect((await handlers.ends.next()).code).toBe(4400);
  });

  test('opening a stream twice closes the link', async () => {
    const { peer } = await world.join();
    peer.send(streamOpen);
    peer.send(streamOpen);
    expect(await peer.closed).toEqual({ code: 4400, reason: 'stream_already_open' });
  });

  test('a 65th stream closes the link; one that closed makes room', async () => {
    const { peer, handlers } = await world.join();
    for (let streamId = 1; streamId <= 64; streamId += 1) peer.send({ ...streamOpen, streamId });
    peer.send({ type: 'streamClose', streamId: 64, nextSequence: 0 });
    peer.send({ ...streamOpen, streamId: 65 });
    peer.send({ ...streamOpen, streamId: 66 });
    expect(await peer.closed).toEqual({ code: 4400, reason: 'too_many_streams' });
    expect(handlers.messages.seen).toHaveLength(66);
  });

  test('whatever bytes come, the link ends with a code and the server goes on', async () => {
    const anyMessage = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 100 }),
      fc.string({ maxLength: 100 }),
      fc.json(),
    );
    await fc.assert(
      fc.asyncProperty(anyMessage, fc.boolean(), async (message, joined) => {
        const peer = joined ? (await world.join()).peer : await world.connect();
        // What is right by chance gets an answer; the second closes the link all the same.
        peer.socket.send(message);
        peer.socket.send('no JSON');
        const { code } = await peer.closed;
        expect([4400, 4413, 4426]).toContain(code);
      }),
      { numRuns: 40 },
    );
    expect((await world.join()).peer.socket.readyState).toBe(1);
  });

  test('raw bytes after the upgrade, which are no WebSocket frames, end the link', async () => {
    const peer = await RawPeer.open(world.url, MEDIA_SUBPROTOCOL, tokenOf('c_1'));
    peer.send(hello);
    await peer.next();
    const { ends } = world.handlers[0] ?? new RecordingHandlers();
    const transport = Reflect.get(peer.socket, '_socket');
    transport.write(Buffer.alloc(1000, 0xff));
    expect((await ends.next()).code).toBe(4400);
    await world.join();
  });
});

describe('a handler that throws', () => {
  test.each(['frames', 'message', 'closed'] as const)(
    'in %s harms its own link only',
    async (name) => {
      const failing = await MediaWorld.start();
      const other = await failing.join('c_2');
      const { peer, handlers } = await failing.join();
      handlers[name] = () => {
        throw new Error('a bug');
      };
      if (name === 'frames') peer.socket.send(batch(1));
      if (name === 'message') peer.send(streamOpen);
      if (name === 'closed') peer.socket.close(1000);
      const expected = name === 'closed' ? 1000 : 4500;
      expect((await peer.closed).code).toBe(expected);
      expect(await failing.log.lines.next()).toMatchObject({ message: 'link handler failed' });
      other.peer.socket.send(batch(1));
      expect(await other.handlers.batches.next()).toEqual([1]);
      await failing.close();
    },
  );
});
