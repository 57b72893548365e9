import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RuleResult } from '../src/index.js';
import { checkWorker } from '../src/index.js';
import { failed, forEach, notPassed, resultsOfWorker } from './small-peers.js';
import type { WorkerDefect } from './small-worker-link.js';
import { startWorkerBench } from './worker-bench.js';

/** What a worker does wrong, and which checks must fail for it: these and no others. */
const TABLE: Partial<Record<WorkerDefect, readonly string[]>> = {
  acceptsAnySignature: ['U-6.wrong-key', 'U-6.unsigned', 'U-6.tampered'],
  acceptsExpiredTokens: ['U-6.expired'],
  acceptsTokensOfOthers: ['U-6.other-worker'],
  answersEveryPath: ['U-8'],
  needsNoSubprotocol: ['U-7.missing', 'U-7.unknown'],
  negotiatesDeflate: ['U-4'],
  refusesInPlainText: ['U-5'],
  speaksFirst: ['O-4', 'O-4.unasked'],
  wrongWelcomeVersion: ['O-4'],
  waitsForHelloForEver: ['O-2'],
  acceptsEveryCall: ['M-1.call', 'M-1.epoch', 'U-14.epoch'],
  answersNoPing: ['P-2', 'T-8'],
  ownTicksInPong: ['T-8'],
  dropsNobody: ['P-5', 'P-4.socket-ping'],
  socketPingsAreLife: ['P-4.socket-ping'],
  takesPcmOfAnyLength: ['F-8.pcm-short', 'F-8.pcm-long', 'F-8.pcm16'],
  wrongCloseForVersion: ['F-3', 'F-3.zero', 'F-10.version'],
  closesForStrays: ['F-1.exact', 'F-5.most', 'M-4', 'M-4.closed'],
  silentOnUnknownTypes: ['J-4', 'J-4.long', 'J-13', 'J-4.proto', 'U-11'],
  takesNullForAbsent: ['J-7.null', 'J-7.source-null'],
  takes65Streams: ['M-7'],
  opensTwice: ['M-5'],
  countsDuplicates: ['Q-7.duplicate', 'R-9', 'R-9.moved', 'R-17.jump'],
  breaksAtWrap: ['Q-7.wrap'],
  tellsNoProgress: ['C-3'],
  byeWithoutFinished: ['O-10', 'O-10.open'],
  takesStaleEpochs: ['M-2.stale'],
  keepsReplacedLinks: ['O-13'],
  resumesNothing: ['R-5', 'R-5.closed', 'R-5.most', 'R-5.moved'],
  returnsAfterBye: ['M-2.over'],
  tokensForEver: ['U-12.replayed', 'U-12.at-once', 'U-14.used', 'U-14.last'],
  usesUpTokensAtTheDoor: ['U-12.unused'],
  keepsOldResumeTokens: ['U-14.last'],
  resumeTokensExpire: ['U-14.late'],
  takesEpochsForCalls: ['M-1.epoch', 'U-14.epoch'],
  letsEveryoneWait: ['U-15'],
  resumesFromDurable: ['R-5', 'R-5.closed'],
  forgetsClosedStreams: ['M-14', 'R-5.closed', 'R-5.most', 'R-5.moved', 'R-17', 'R-17.discarded'],
  listsEveryStream: ['R-5.most'],
  countsDiscardedTwice: ['M-12', 'R-17.discarded', 'R-17.links'],
  losesNothingAtClose: ['R-17', 'R-17.discarded'],
  forgetsLostOverBreaks: ['R-17.links'],
  forgetsPositionsOverEpochs: ['R-5.moved'],
  believesFirstSequence: ['R-9.moved'],
  durableGoesBack: ['R-4.links', 'R-4.moved'],
  durableBeforeReceived: ['M-14', 'R-4', 'R-4.links', 'R-5.moved'],
  oneCreditForAll: ['C-2.each'],
  losesBeyondCredit: ['R-17.dropped'],
  progressOnceASecond: ['C-3.quarter'],
  sendInEveryWelcome: ['W-2.absent'],
  knowsNoSendMessages: ['W-2.speaks'],
  clearsUnasked: ['W-3'],
};
const DEFECTS = Object.keys(TABLE) as WorkerDefect[];

describe('our own worker', () => {
  let bench: Awaited<ReturnType<typeof startWorkerBench>>;
  beforeAll(async () => {
    bench = await startWorkerBench();
  });
  afterAll(() => bench.close());

  it('breaks no rule', { timeout: 120_000 }, async () => {
    const results = await checkWorker({ ...bench.options, concurrency: 12 });
    expect(results.filter(({ outcome }) => outcome === 'fail')).toEqual([]);
    const blocked = results.filter((r) => r.outcome === 'notApplicable' && r.blockedBy);
    expect(blocked).toEqual([]);
  });
});

describe('a worker written from the specification alone', () => {
  it('passes', { timeout: 120_000 }, async () => {
    // It gives resume tokens; a worker that gives none is checked for the opposite.
    expect(notPassed(await resultsOfWorker()).map(({ id }) => id)).toEqual(['U-14.absent']);
  });
});

describe('a worker with a defect', () => {
  let results: Map<WorkerDefect, RuleResult[]>;
  beforeAll(async () => {
    results = await forEach(DEFECTS, 4, resultsOfWorker);
  }, 300_000);

  it.each(DEFECTS)('%s fails just the right checks', (defect) => {
    expect(failed(results.get(defect)).toSorted()).toEqual([...TABLE[defect]!].toSorted());
  });
});
