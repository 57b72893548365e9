import { beforeAll, describe, expect, it } from 'vitest';
import type { RuleResult } from '../src/index.js';
import { checkHost, HOST_RULES } from '../src/index.js';
import { startHostBench } from './host-bench.js';
import type { HostDefect } from './small-host.js';
import { failed, forEach, notPassed, resultsOfHost, resultsOfSendingHost } from './small-peers.js';
import type { SendDefect } from './small-send-stream.js';

/** They break the host link, or wait for it. */
const ALONE = new Set(
  HOST_RULES.filter(({ isAlone, isLast }) => isAlone || isLast).map(({ id }) => id),
);

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
  tellsHalfOfLosses: ['R-18'],
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

/** What a host does wrong on the way back; of the checks that are about it. */
const SEND_TABLE: Partial<Record<SendDefect, readonly string[]>> = {
  sendsWithoutAgreement: ['O-9.media', 'W-4'],
  offersLessEachTime: ['W-1'],
  opensSendsTwice: ['W-7'],
  opensEverySend: ['W-8'],
  opensEveryCodec: ['W-8.codec'],
  staysOpenOnBadSends: [
    'W-9.truncated',
    'W-9.version',
    'W-9.kind',
    'W-9.length',
    'W-9.trailing',
    'W-9.too-large',
  ],
  takes_unsupported_kind: ['W-9.kind'],
  takes_trailing_bytes: ['W-9.trailing'],
  closesForOddCodecs: ['W-9.codec'],
  mindsSendTicks: ['W-9.ticks'],
  waitsForJumpedSends: ['W-10.jump'],
  playsLateSends: ['W-10.late'],
  breaksAtSendWrap: ['W-10.wrap'],
  closesForStraySends: ['W-14'],
  ignoresSendCredit: ['W-16'],
  grantsOneLess: ['W-16.edge', 'W-17', 'W-17.kept', 'W-21', 'W-21.after', 'W-22.cleared'],
  grantsTooMuch: ['W-17'],
  dropsSends: ['W-17', 'W-17.kept', 'W-21'],
  tellsProgressLate: ['W-18'],
  tellsOneSend: ['W-18.all'],
  playsTwiceAsFast: ['W-11'],
  beginsLate: ['W-11.start', 'W-12', 'W-12.underrun', 'W-19.early', 'W-21.empty'],
  beginsWithoutMarks: ['W-11.start'],
  endsAtUnderruns: ['W-12', 'W-12.underrun', 'W-19.beyond', 'W-19.early', 'W-21.empty'],
  countsNoUnderruns: ['W-12.underrun'],
  playsOneAfterTheOther: ['W-13'],
  marksInOrderOfArrival: ['W-19', 'W-20.most'],
  marksNothingPast: ['W-19.early'],
  losesMarksAtBreaks: ['W-28.anew'],
  marksAtOnce: ['W-11', 'W-19', 'W-19.beyond', 'W-20', 'W-21'],
  takes65Marks: ['W-20'],
  takes63Marks: ['W-20.most'],
  saysClearedFirst: ['W-21'],
  playsNothingAfterClear: ['W-21.after'],
  clearsOneMore: ['W-10.late', 'W-17.kept', 'W-21', 'W-21.empty', 'W-26'],
  closesSendsTwice: ['W-22'],
  saysPlayedForCleared: ['W-22.cleared'],
  marksNothingAfterClose: ['W-23'],
  closesForUnknownSends: ['W-24'],
  keepsClosedSends: ['W-25', 'W-27.over'],
  continuesClosedSends: ['W-27.over'],
  forgetsSends: ['W-27', 'W-28', 'W-28.anew', 'W-28.close', 'W-29'],
  continuesAnySend: ['W-27.other'],
  stopsAtBreaks: ['W-26'],
  marksTwice: ['W-19', 'W-28'],
  endsSendsAtReattach: ['W-29'],
  endsSendsInSilence: ['W-30'],
};
const SEND_DEFECTS = Object.keys(SEND_TABLE) as SendDefect[];

describe('our own host simulator', () => {
  it('passes', { timeout: 240_000 }, async () => {
    // Two at once: checks of the host link are made one after the other.
    const isAlone = (id: string): boolean => ALONE.has(id);
    const ids = HOST_RULES.map(({ id }) => id);
    const parts = [ids.filter(isAlone), ids.filter((id) => !isAlone(id))];
    const results = await Promise.all(parts.map(resultsOfSandbox));
    expect(results.flatMap(notPassed)).toEqual([]);
  });
});

describe('a host with a defect', () => {
  let results: Map<HostDefect | 'none', RuleResult[]>;
  beforeAll(async () => {
    // They mostly wait: many at once take little longer than one.
    results = await forEach(['none' as const, ...DEFECTS], 5, (defect) =>
      resultsOfHost(defect === 'none' ? undefined : defect),
    );
  }, 300_000);

  it('none, and written from the specification alone, passes', () => {
    expect(notPassed(results.get('none') ?? [])).toEqual([]);
  });

  it.each(DEFECTS)('%s fails just the right checks', (defect) => {
    expect(failed(results.get(defect)).toSorted()).toEqual([...TABLE[defect]!].toSorted());
  });
});

describe('a host with a defect on the way back', () => {
  let results: Map<SendDefect, RuleResult[]>;
  beforeAll(async () => {
    results = await forEach(SEND_DEFECTS, 4, resultsOfSendingHost);
  }, 300_000);

  it.each(SEND_DEFECTS)('%s fails just the right checks', (defect) => {
    expect(failed(results.get(defect)).toSorted()).toEqual([...SEND_TABLE[defect]!].toSorted());
  });
});

async function resultsOfSandbox(only: readonly string[]): Promise<RuleResult[]> {
  const bench = await startHostBench();
  try {
    return await checkHost({ ...bench.options, only, redialMs: 1500, sessions: 8 });
  } finally {
    await bench.close();
  }
}
