import { VirtualClock } from '@earshot/async';
import { initialCallModel } from '@earshot/call';
import type { AdmissionStore, CallRecord } from '@earshot/registry';
import { Registry } from '@earshot/registry';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reconcilePlaces } from '../src/admission/place-keeper.js';
import { withService } from '../src/calls/service-state.js';

const LIMITS = { calls: 3, callsPerMonth: 1_000 };
const PODS = 2;

/** How far a process has come with a call; it may die at any point, and does no more then. */
type Step = 'take' | 'create' | 'confirm' | 'use' | 'end' | 'giveBack' | 'note' | 'done';

const NEXT: Readonly<Record<Exclude<Step, 'done'>, Step>> = {
  take: 'create',
  create: 'confirm',
  confirm: 'use',
  use: 'end',
  end: 'giveBack',
  giveBack: 'note',
  note: 'done',
};

interface Call {
  readonly callId: string;
  readonly pod: number;
  step: Step;
  isDead: boolean;
  /** Between its place being confirmed and its end: Graph counts it. */
  isLive: boolean;
}

/** Calls of several processes, one small step of one of them at a time. */
class Deployment {
  readonly calls: Call[] = [];
  readonly #pods: readonly Registry[];
  readonly #app: string;
  reached = 0;

  constructor(pods: readonly Registry[], app: string) {
    this.#pods = pods;
    this.#app = app;
  }

  #registry(pod: number): Registry {
    const registry = this.#pods[pod % PODS];
    if (registry === undefined) throw new Error('no such pod');
    return registry;
  }

  #store(pod: number): AdmissionStore {
    return this.#registry(pod).admission(this.#app);
  }

  begin(pod: number): void {
    const callId = `${this.#app}-${this.calls.length}`;
    this.calls.push({ callId, pod, step: 'take', isDead: false, isLive: false });
  }

  /** The process of a call goes on by one step, or has died and does not. */
  async advance(which: number): Promise<void> {
    const able = this.calls.filter(({ step, isDead }) => step !== 'done' && !isDead);
    const call = able[which % Math.max(1, able.length)];
    if (call !== undefined) await this.#advance(call);
  }

  die(which: number): void {
    const call = this.calls[which % Math.max(1, this.calls.length)];
    if (call !== undefined) call.isDead = true;
  }

  /** Places without a record count as old at once, which is the hardest case. */
  async reconcile(pod: number): Promise<void> {
    await reconcilePlaces({ registry: this.#registry(pod), store: this.#store(pod) }, -1);
  }

  async standing() {
    return this.#store(0).standing();
  }

  /** Whoever resumes the calls of dead processes ends them; then all is compared once. */
  async recover(): Promise<void> {
    for (const call of this.calls) {
      call.isDead = false;
      const isBegun = call.step !== 'take' && call.step !== 'create';
      // Nobody resumes what has no record.
      if (!isBegun) call.step = 'done';
      while (call.step !== 'done') await this.#advance(call);
    }
    await this.reconcile(0);
  }

  async #advance(call: Call): Promise<void> {
    const { callId, pod, step } = call;
    const registry = this.#registry(pod);
    if (step === 'done') return;
    call.step = NEXT[step];
    switch (step) {
      case 'take':
      case 'confirm': {
        const { outcome } = await this.#store(pod).take(callId, 1, LIMITS);
        if (outcome === 'ok') call.isLive = step === 'confirm';
        else call.step = step === 'take' ? 'done' : 'end';
        break;
      }
      case 'create':
        await registry.createCall(recordOf(callId));
        break;
      case 'use':
        this.reached += 1;
        await registry.updateCall(callId, (one) => withService(one, { graph: 'present' }));
        break;
      case 'end':
        call.isLive = false;
        await registry.updateCall(callId, (one) => withService(one, { graph: 'gone' }));
        break;
      case 'giveBack':
        await this.#store(pod).giveBack(callId);
        break;
      case 'note':
        await registry.updateCall(callId, (one) => ({
          ...withService(one, { place: 'free' }),
          endedAtMs: 1,
        }));
        break;
    }
  }

  /** Never more live calls than places, and a place for each that is live. */
  async check(): Promise<void> {
    const live = this.calls.filter(({ isLive }) => isLive);
    expect(live.length).toBeLessThanOrEqual(LIMITS.calls);
    const places = await this.#store(0).places();
    const held = new Set(places.map(({ callId }) => callId));
    for (const { callId } of live) expect(held).toContain(callId);
  }
}

function recordOf(callId: string): CallRecord {
  return {
    callId,
    version: 0,
    createdAtMs: 1,
    joinUrl: '',
    tenantId: 't',
    attemptKey: `k-${callId}`,
    model: initialCallModel,
    signalingPosition: 0,
    service: { joinUrlHost: '', graph: 'none', hostHeld: false, place: 'held', pendingEvents: [] },
  };
}

const action = fc.record({ what: fc.nat(99), which: fc.nat(99) });

describe('places', () => {
  let redis: TestRedis;
  let pods: Registry[];

  beforeAll(async () => {
    redis = await startTestRedis();
    const clock = new VirtualClock();
    pods = Array.from({ length: PODS }, () => new Registry({ redisUrl: redis.url, clock }));
    await Promise.all(pods.map((pod) => pod.ready()));
  });

  afterAll(async () => {
    await Promise.all(pods.map((pod) => pod.close()));
    await redis.close();
  });

  it('never leak and never let too many in, whichever process dies when', async () => {
    const seen = { reached: 0, refused: 0 };
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60, size: 'max' }), async (actions) => {
        runs += 1;
        const deployment = new Deployment(pods, `app-${runs}`);
        for (const { what, which } of actions) {
          if (what < 20) deployment.begin(which);
          else if (what < 80) await deployment.advance(which);
          else if (what < 88) deployment.die(which);
          else await deployment.reconcile(which);
          await deployment.check();
        }
        await deployment.recover();
        const { calls, callsThisMonth } = await deployment.standing();
        expect(calls).toBe(0);
        expect(callsThisMonth).toBe(deployment.reached);
        seen.reached += deployment.reached;
        seen.refused += deployment.calls.length - deployment.reached;
      }),
      // What a run that fails leaves behind would be found by those that shrink it.
      { numRuns: 60, endOnFailure: true },
    );
    expect(seen.reached).toBeGreaterThan(50);
    expect(seen.refused).toBeGreaterThan(50);
  });
});
