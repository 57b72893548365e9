import { VirtualClock } from '@earshot/async';
import type { CallbackVerdict } from '@earshot/graph';
import { beforeEach, describe, expect, it } from 'vitest';
import { CallbackVerdicts } from '../src/callback-verdicts.js';

describe('a token that was found good', () => {
  let clock: VirtualClock;
  let verdicts: CallbackVerdicts;
  let asked: (string | undefined)[];
  let verdict: CallbackVerdict;

  beforeEach(() => {
    clock = new VirtualClock();
    asked = [];
    verdict = { ok: true, tenantId: 't' };
    const verifier = {
      verify: async (header: string | undefined) => {
        asked.push(header);
        return verdict;
      },
    };
    verdicts = new CallbackVerdicts(verifier, clock);
  });

  const tokenFor = (lifeMs: number): string => {
    const claims = { exp: (clock.wallclockMs() + lifeMs) / 1_000 };
    return `Bearer a.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c`;
  };

  it('is not checked again for a minute', async () => {
    const header = tokenFor(3_600_000);
    for (let i = 0; i < 3; i += 1) expect(await verdicts.verify(header)).toBe(verdict);
    expect(asked).toEqual([header]);
    clock.advance(60_001);
    await verdicts.verify(header);
    expect(asked).toHaveLength(2);
  });

  it('is checked again when it has expired', async () => {
    const header = tokenFor(10_000);
    await verdicts.verify(header);
    clock.advance(9_999);
    await verdicts.verify(header);
    expect(asked).toHaveLength(1);
    clock.advance(2);
    await verdicts.verify(header);
    expect(asked).toHaveLength(2);
  });

  it('is one only by all of its bytes', async () => {
    const header = tokenFor(3_600_000);
    await verdicts.verify(header);
    await verdicts.verify(`${header}x`);
    await verdicts.verify(undefined);
    expect(asked).toEqual([header, `${header}x`, undefined]);
  });

  it.each(['Bearer a', 'Bearer a.!.c', 'Bearer a.e30.c'])(
    'is checked each time when %s does not say how long it lives',
    async (header) => {
      await verdicts.verify(header);
      await verdicts.verify(header);
      expect(asked).toHaveLength(2);
    },
  );

  it('is no refused one: those are checked each time', async () => {
    verdict = { ok: false, status: 401, code: 'token_invalid', message: '' };
    const header = tokenFor(3_600_000);
    await verdicts.verify(header);
    await verdicts.verify(header);
    expect(asked).toHaveLength(2);
  });
});
