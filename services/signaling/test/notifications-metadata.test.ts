import { checkType, faultText } from '@earshot/graph-metadata';
import { expect, it } from 'vitest';
import { endItem, rosterItem, stateItem } from './support/notifications.js';

it('what tests say in place of Graph keeps to its metadata', () => {
  const value = [
    stateItem('g', 'established'),
    endItem('g', 200, 5000),
    rosterItem('g', [{ id: 'p', name: 'Ada', sourceId: '101', muted: true }]),
  ];
  expect(checkType('commsNotifications', { value }, { from: 'service' }).map(faultText)).toEqual(
    [],
  );
});
