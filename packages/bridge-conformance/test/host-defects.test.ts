import { beforeAll, describe, expect, it } from 'vitest';
import type { RuleResult } from '../src/index.js';
import type { HostDefect } from './small-host.js';
import { failed, forEach, resultsOfHearingHost } from './small-peers.js';

/** What a host does wrong, and which checks must fail for it: these and no others. */
const TABLE: Partial<Record<HostDefect, readonly string[]>> = {
  keyInUrl: ['U-2'],
  anotherHostIdEachTime: ['O-1.host-id'],
  takesBinary: ['O-9', 'O-9.media'],
  closesOnUnknownTypes: ['J-3', 'J-3.media'],
  dropsNobody: ['P-5', 'P-4', 'P-5.media', 'P-4.media'],
  answersNoPing: ['P-3.pong'],
  sameMediaIdForAll: ['H-2.once'],
  refusesNobody: ['H-8', 'H-8.ended'],
  takesStaleEpochs: ['H-9', 'H-9.trying'],
  redialsAfterConflict: ['X-3.4409'],
  redialsWorkersAfterConflict: ['H-13.failed', 'X-3.media-4409'],
  mediaEpochOfEachLink: ['T-3'],
  wrongPcmLength: ['F-2'],
  unnamedFlags: ['F-11'],
  noDiscontinuity: ['Q-4'],
  dropsInSilence: ['C-6', 'R-10'],
  framesBeforeStreamOpen: ['M-3', 'R-8'],
  sequenceJumps: ['Q-1', 'T-1', 'C-6', 'R-18', 'R-19'],
  replaysFromTheWrongPosition: ['R-7', 'Q-1.links', 'R-20'],
  neverFlagsReplays: ['R-11'],
  replaysOtherAudio: ['R-1'],
  talksAfterBye: ['O-11'],
  ignoresCredit: ['C-1', 'C-1.each', 'C-1.none', 'C-1.full'],
  sharesCredit: ['C-1.each'],
  sendsStreamByStream: ['C-7'],
  saysOneReason: ['R-10'],
  saysWindowForOverflow: ['C-6.reason'],
  tellsSomeLosses: ['R-18'],
  tellsLossesTwice: ['M-11', 'R-18'],
  closesStreamsEarly: ['R-19'],
  closesShort: ['M-10', 'R-6.over'],
  forgetsClosedStreams: ['R-6.closed'],
  reopensEndedStreams: ['R-6.over'],
  ignoresResumeTokens: ['R-12.token'],
  keepsResumeTokenOverAttach: ['H-10.token'],
  redialsAfter401: ['R-12.401', 'X-3.media-4401'],
  redialsTheOld: ['H-10.broken'],
  forgetsOlderAttaches: ['H-10.trying'],
  mindsReplacedLinks: ['O-14'],
  failsWithoutAWord: ['H-13.failed'],
};
const DEFECTS = Object.keys(TABLE) as HostDefect[];

describe('a host with a defect', () => {
  let results: Map<HostDefect, RuleResult[]>;
  beforeAll(async () => {
    // They mostly wait: some at once take little longer than one.
    results = await forEach(DEFECTS, 6, resultsOfHearingHost);
  }, 300_000);

  it.each(DEFECTS)('%s fails just the right checks', (defect) => {
    expect(failed(results.get(defect)).toSorted()).toEqual([...TABLE[defect]!].toSorted());
  });
});
