import { VirtualClock } from '@earshot/async';
import { describe, expect, it } from 'vitest';
import type { Meeting } from '../src/meetings/meeting.js';
import { MeetingRun } from '../src/meetings/meeting-run.js';
import { testMeeting, testPackets, testParticipant } from './fixtures.js';

interface Played {
  readonly clock: VirtualClock;
  readonly run: MeetingRun;
  readonly log: string[];
  room: boolean;
}

/** Plays a meeting into a list of lines. */
function play(meeting: Meeting, speed = 1): Played {
  const clock = new VirtualClock();
  const log: string[] = [];
  const run = new MeetingRun({
    meeting,
    clock,
    speed,
    sink: {
      tick: () => {},
      join: ({ key }) => log.push(`${key} joins`),
      leave: ({ key }) => log.push(`${key} leaves`),
      frame: ({ key }, frame, captureMs) => log.push(`${key} ${frame} at ${captureMs}`),
      missing: ({ key }) => log.push(`${key} missing`),
      flush: () => {},
    },
    hasRoom: () => played.room,
    onRoster: (attendance) =>
      log.push(
        `roster ${attendance.map((a) => a.participant.key + (a.isMuted ? '(muted)' : '')).join(' ')}`,
      ),
    onOver: () => log.push('over'),
  });
  const played: Played = { clock, run, log, room: true };
  return played;
}

function framesOf(log: readonly string[], key: string): string[] {
  return log.filter((line) => line.startsWith(`${key} `) && !/joins|leaves/.test(line));
}

describe('MeetingRun', () => {
  it('plays each participant from the moment of joining, in one order', () => {
    const ada = testParticipant({ key: 'ada', packets: testPackets(2), leaveAtMs: 100 });
    const bob = testParticipant({
      key: 'bob',
      joinAtMs: 30,
      packets: testPackets(9),
      leaveAtMs: 70,
    });
    const { clock, run, log } = play(testMeeting([bob, ada], { durationMs: 100 }));
    run.start();
    clock.advance(200);
    expect(log).toEqual([
      'ada joins',
      'roster ada',
      'ada 0 at 0',
      'bob joins',
      'roster ada bob',
      'ada 1 at 20',
      'bob 0 at 30',
      'bob 1 at 50',
      'bob leaves',
      'roster ada',
      'ada leaves',
      'roster ',
      'over',
    ]);
  });

  it('skips muted frames, counts missing ones, and tells the roster of the muting', () => {
    const ada = testParticipant({
      packets: testPackets(8),
      leaveAtMs: 200,
      muted: [{ startMs: 40, endMs: 80 }],
      missing: new Set([2, 5]),
    });
    const { clock, run, log } = play(testMeeting([ada], { durationMs: 200 }));
    run.start();
    clock.advance(400);
    // Frame 2 was muted before it could get lost.
    expect(framesOf(log, 'ada')).toEqual([
      'ada 0 at 0',
      'ada 1 at 20',
      'ada 4 at 80',
      'ada missing',
      'ada 6 at 120',
      'ada 7 at 140',
    ]);
    expect(log.filter((line) => line.startsWith('roster'))).toEqual([
      'roster ada',
      'roster ada(muted)',
      'roster ada',
      'roster ',
    ]);
  });

  it('follows the clock in real time, catching up after a stall, whatever the room', () => {
    const ada = testParticipant({ packets: testPackets(50) });
    const played = play(testMeeting([ada]));
    played.room = false;
    played.run.start();
    expect(framesOf(played.log, 'ada')).toHaveLength(1);
    played.clock.advance(100);
    expect(framesOf(played.log, 'ada')).toHaveLength(6);
    played.clock.advance(500);
    expect(framesOf(played.log, 'ada')).toHaveLength(31);
  });

  it('stands still without room in virtual time and does not hurry afterwards', () => {
    const ada = testParticipant({ packets: testPackets(50) });
    const played = play(testMeeting([ada]), 10);
    played.run.start();
    played.clock.advance(20);
    expect(played.run.mediaTimeMs).toBe(220);
    played.room = false;
    played.clock.advance(10_000);
    expect(played.run.mediaTimeMs).toBe(220);
    played.room = true;
    played.clock.advance(20);
    expect(played.run.mediaTimeMs).toBeLessThanOrEqual(440);
    played.clock.advance(1_000);
    expect(played.log.at(-1)).toBe('over');
    expect(framesOf(played.log, 'ada')).toHaveLength(50);
  });

  it('says nothing after it was stopped', () => {
    const { clock, run, log } = play(testMeeting([testParticipant({ packets: testPackets(50) })]));
    run.start();
    run.stop();
    const before = log.length;
    clock.advance(5_000);
    expect(log).toHaveLength(before);
    expect(clock.pending).toBe(0);
  });
});
