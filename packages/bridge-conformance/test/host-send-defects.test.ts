import { beforeAll, describe, expect, it } from 'vitest';
import type { RuleResult } from '../src/index.js';
import { failed, forEach, resultsOfSendingHost } from './small-peers.js';
import type { SendDefect } from './small-send-stream.js';

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
  forgetsSends: ['W-27', 'W-28', 'W-28.anew', 'W-29'],
  continuesAnySend: ['W-27.other'],
  stopsAtBreaks: ['W-26'],
  marksTwice: ['W-19', 'W-28'],
  endsSendsAtReattach: ['W-29'],
  endsSendsInSilence: ['W-30'],
};
const SEND_DEFECTS = Object.keys(SEND_TABLE) as SendDefect[];

describe('a host with a defect on the way back', () => {
  let results: Map<SendDefect, RuleResult[]>;
  beforeAll(async () => {
    results = await forEach(SEND_DEFECTS, 4, resultsOfSendingHost);
  }, 300_000);

  it.each(SEND_DEFECTS)('%s fails just the right checks', (defect) => {
    expect(failed(results.get(defect)).toSorted()).toEqual([...SEND_TABLE[defect]!].toSorted());
  });
});
