import { VirtualClock } from '@earshot/async';
import type { ListeningSettings } from '@earshot/listening';
import { DEFAULT_LISTENING } from '@earshot/listening';
import { Registry } from '@earshot/registry';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CallListening } from '../src/call-listening.js';
import { ListeningDesk } from '../src/listening-desk.js';

const WAIT = { timeout: 50_000, interval: 10 };
const SILENT_LOG = { debug() {}, info() {}, warn() {}, error() {} };
const BEEPS: ListeningSettings = { ...DEFAULT_LISTENING, tones: ['beep'] };

/** A call as the desk sees it, with what it was told written down. */
class Call {
  readonly callId: string;
  readonly listening = new CallListening(DEFAULT_LISTENING);
  readonly told: ListeningSettings[] = [];

  constructor(callId: string) {
    this.callId = callId;
    this.listening.onChange((settings) => this.told.push(settings));
  }

  setListening(settings: ListeningSettings): void {
    this.listening.set(settings);
  }
}

describe('what is listened for in a call', () => {
  let redis: TestRedis;
  let registry: Registry;
  let signaling: Registry;

  beforeAll(async () => {
    redis = await startTestRedis();
    const clock = new VirtualClock();
    registry = new Registry({ redisUrl: redis.url, clock });
    signaling = new Registry({ redisUrl: redis.url, clock });
    await Promise.all([registry.ready(), signaling.ready()]);
  });

  afterAll(async () => {
    await Promise.all([registry.close(), signaling.close()]);
    await redis.close();
  });

  it('is told once for each change, and no more after it was undone', () => {
    const listening = new CallListening(DEFAULT_LISTENING);
    const told: ListeningSettings[] = [];
    const undo = listening.onChange((settings) => told.push(settings));
    listening.set({ ...DEFAULT_LISTENING });
    listening.set(BEEPS);
    listening.set({ ...BEEPS, tones: ['beep'] });
    expect(told).toEqual([BEEPS]);
    undo();
    listening.set(DEFAULT_LISTENING);
    expect(told).toHaveLength(1);
    expect(listening.current).toEqual(DEFAULT_LISTENING);
  });

  it('reaches the worker at once when signaling sets it, and a call of another one never', async () => {
    const [own, idle] = [new Call('c_own'), new Call('c_idle')];
    const stop = await new ListeningDesk({
      registry,
      clock: new VirtualClock(),
      log: SILENT_LOG,
      calls: () => [own, idle],
    }).start();
    await signaling.setListening('c_elsewhere', {}, BEEPS);
    await signaling.setListening('c_own', {}, BEEPS);
    await vi.waitUntil(() => own.told.length > 0, WAIT);
    expect(own.told).toEqual([BEEPS]);
    expect(idle.told).toEqual([]);
    stop();
  });

  it('is found within seconds when no wake-up came; what cannot be read changes nothing', async () => {
    const clock = new VirtualClock();
    const call = new Call('c_late');
    const looks: Promise<unknown>[] = [];
    const stop = await new ListeningDesk({
      registry: {
        onListeningSet: async () => {},
        listening: (callId) => {
          const look = registry.listening(callId);
          looks.push(look);
          return look;
        },
      },
      clock,
      log: SILENT_LOG,
      calls: () => [call],
    }).start();
    await signaling.setListening('c_late', {}, BEEPS);
    clock.advance(2999);
    expect(looks).toHaveLength(0);
    clock.advance(1);
    await vi.waitUntil(() => call.told.length > 0, WAIT);
    expect(call.listening.current).toEqual(BEEPS);
    stop();
  });
});
