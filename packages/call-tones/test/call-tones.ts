import type { CallToneKind } from '../src/index.js';
import type { Part } from './signal.js';
import { cadence } from './signal.js';

/** A sound by name, what is told of it, and from where to where. */
export type CallToneCase = readonly [string, CallToneKind, readonly Part[], number, number];

/** The tones as the standards and the exchanges have them. */
export const CALL_TONES: readonly CallToneCase[] = [
  ['a beep of 1000 Hz', 'beep', [{ ms: 400, hz: [1000] }], 0, 400],
  ['a short beep', 'beep', [{ ms: 170, hz: [850] }], 0, 170],
  ['a long beep', 'beep', [{ ms: 1500, hz: [2000] }], 0, 1500],
  ['a recording beep', 'beep', [{ ms: 300, hz: [1400] }], 0, 300],
  ['a fax that calls', 'faxCng', cadence([1100], 500, 3000, 500, 3000, 500), 0, 500],
  ['a fax that calls, at the edge of T.30', 'faxCng', cadence([1136], 430, 2600, 430), 0, 430],
  ['a fax that answers', 'faxCed', [{ ms: 3000, hz: [2100] }], 0, 3000],
  ['one that turns the phase', 'faxCed', [{ ms: 3300, hz: [2100], reverseEveryMs: 450 }], 0, 3300],
  [
    'ringback in North America',
    'ringback',
    cadence([440, 480], 2000, 4000, 2000, 4000, 2000),
    0,
    8000,
  ],
  ['ringback in Europe', 'ringback', cadence([425], 1000, 4000, 1000, 4000, 1000), 0, 6000],
  [
    'ringback in Britain',
    'ringback',
    cadence([400, 450], 400, 200, 400, 2000, 400, 200, 400),
    0,
    1000,
  ],
  ['busy in North America', 'busy', cadence([480, 620], 500, 500, 500, 500, 500), 0, 1500],
  ['busy in Europe', 'busy', cadence([425], 500, 500, 500, 500, 500), 0, 1500],
  ['busy in Britain', 'busy', cadence([400], 375, 375, 375, 375, 375), 0, 1125],
  ['reorder in North America', 'reorder', cadence([480, 620], 250, 250, 250, 250, 250), 0, 750],
  ['reorder in Europe', 'reorder', cadence([425], 200, 200, 200, 200, 200), 0, 600],
  ['reorder in Britain', 'reorder', cadence([400], 400, 350, 225, 525, 400, 350, 225), 0, 975],
  ['dial tone in North America', 'dial', [{ ms: 5000, hz: [350, 440] }], 0, 3000],
  ['dial tone in Europe', 'dial', [{ ms: 5000, hz: [425] }], 0, 3000],
  [
    'an intercept tone',
    'sit',
    [
      { ms: 276, hz: [913.8] },
      { ms: 276, hz: [1370.6] },
      { ms: 380, hz: [1776.7] },
    ],
    0,
    932,
  ],
  [
    'a no-circuit tone with pauses',
    'sit',
    [
      { ms: 380, hz: [985.2] },
      { ms: 30 },
      { ms: 380, hz: [1428.5] },
      { ms: 30 },
      { ms: 380, hz: [1776.7] },
    ],
    0,
    1200,
  ],
];
