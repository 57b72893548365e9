import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PendingPeers } from '../src/pending-peers.js';

describe('PendingPeers', () => {
  test('takes an IPv4 address and its IPv6 form for one', () => {
    const peers = new PendingPeers(1);
    const leave = peers.enter('192.0.2.7');
    expect(peers.enter('::ffff:192.0.2.7')).toBeUndefined();
    expect(peers.enter('::FFFF:192.0.2.7')).toBeUndefined();
    expect(peers.enter('::ffff:192.0.2.8')).toBeDefined();
    expect(peers.enter('2001:db8::1')).toBeDefined();
    leave?.();
    expect(peers.enter('::ffff:192.0.2.7')).toBeDefined();
  });

  test('counts who leaves once, however often that is said', () => {
    const peers = new PendingPeers(2);
    const leave = peers.enter('a');
    peers.enter('a');
    leave?.();
    leave?.();
    expect(peers.enter('a')).toBeDefined();
    expect(peers.enter('a')).toBeUndefined();
  });

  test('whatever comes and goes, no address has more than may be, and none is kept for nothing', () => {
    const step = fc.record({
      address: fc.constantFrom('a', 'b', 'c'),
      leaves: fc.nat({ max: 30 }),
    });
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 1, max: 4 }), (steps, most) => {
        const peers = new PendingPeers(most);
        const inside: { address: string; leave: () => void }[] = [];
        for (const { address, leaves } of steps) {
          const [gone] = leaves < inside.length ? inside.splice(leaves, 1) : [];
          gone?.leave();
          const count = inside.filter((peer) => peer.address === address).length;
          const leave = peers.enter(address);
          expect(leave !== undefined).toBe(count < most);
          if (leave !== undefined) inside.push({ address, leave });
        }
        expect(peers.addresses).toBe(new Set(inside.map(({ address }) => address)).size);
        for (const { leave } of inside) leave();
        expect(peers.addresses).toBe(0);
      }),
    );
  });
});
