import { describe, expect, it } from 'vitest';
import { SlotAccount } from '../src/host/slot-account.js';

function send(account: SlotAccount, ...sequences: number[]): void {
  for (const sequence of sequences) account.sent(sequence);
}

describe('SlotAccount', () => {
  it('counts what a frame, a discard or the end jumps over, once', () => {
    const account = new SlotAccount();
    account.begin(10);
    send(account, 12, 13);
    account.passed(15);
    account.passed(17);
    send(account, 17, 20);
    account.passed(21);
    expect([account.lost, account.position]).toEqual([2 + 3 + 2, 21]);
  });

  it('has in flight what was sent and is not received, without the lost', () => {
    const account = new SlotAccount();
    account.begin(0);
    send(account, 0, 1, 5, 6);
    expect(account.inFlight).toBe(4);
    account.acknowledge(3, 0);
    expect(account.inFlight).toBe(2);
    account.acknowledge(6, 2);
    expect(account.inFlight).toBe(1);
    // Past what this link sent: an earlier one carried it.
    account.acknowledge(9, 2);
    expect(account.inFlight).toBe(0);
  });

  it('takes back on a new link what is still to come', () => {
    const account = new SlotAccount();
    account.begin(0);
    send(account, 2, 6, 9);
    expect(account.lost).toBe(2 + 3 + 2);
    account.rewind(4);
    expect(account.lost).toBe(2 + 1);
    send(account, 4, 5, 6, 7, 8, 9);
    expect([account.lost, account.inFlight]).toEqual([3, 6]);
  });

  it('tells what was lost before a position', () => {
    const account = new SlotAccount();
    account.begin(0);
    send(account, 3, 8);
    expect([0, 2, 3, 4, 6, 9].map((s) => account.lostBefore(s))).toEqual([0, 2, 3, 3, 5, 7]);
  });

  it('begins anew with an epoch', () => {
    const account = new SlotAccount();
    account.begin(0);
    send(account, 7);
    account.begin(5);
    expect([account.lost, account.position, account.inFlight]).toEqual([0, 5, 0]);
  });

  it('works across the wrap, and remembers a bounded number of losses exactly', () => {
    const account = new SlotAccount();
    account.begin(0xffff_ff00);
    for (let n = 0; n < 2_000; n += 1) account.sent((0xffff_ff00 + 2 * n + 1) >>> 0);
    expect([account.lost, account.inFlight]).toEqual([2_000, 2_000 + 976]);
    account.acknowledge((0xffff_ff00 + 3_000) >>> 0, (0xffff_ff00 + 3_000) >>> 0);
    expect([account.lost, account.inFlight]).toEqual([2_000, 500]);
  });
});
