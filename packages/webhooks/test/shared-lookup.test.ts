import { describe, expect, it } from 'vitest';
import type { ResolveAll } from '../src/address-rules.js';
import { shareLookups } from '../src/shared-lookup.js';

describe('shared lookups', () => {
  const asked: { name: string; done: Parameters<ResolveAll>[1] }[] = [];
  const answered: string[] = [];
  const lookUp = shareLookups((name, done) => asked.push({ name, done }));
  const ask = (name: string): void =>
    lookUp(name, (error, found) => answered.push(error?.code ?? found[0]?.address ?? 'none'));

  it('are one for a name, two at a time, and an answer for each who asks', () => {
    for (const name of ['a', 'b', 'a', 'c', 'a']) ask(name);
    expect(asked.map(({ name }) => name)).toEqual(['a', 'b']);
    asked[0]?.done(null, [{ address: '192.0.2.1', family: 4 }]);
    expect(answered).toEqual(['192.0.2.1', '192.0.2.1', '192.0.2.1']);
    expect(asked.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    ask('a');
    asked[1]?.done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    expect(answered.at(-1)).toBe('ENOTFOUND');
    expect(asked.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'a']);
  });
});

it('names that are answered slowly leave room for the others', () => {
  let nowMs = 0;
  const open = new Map<string, () => void>();
  const resolve = shareLookups(
    (hostname, done) => void open.set(hostname, () => done(null, [])),
    () => nowMs,
  );
  const ask = (hostname: string) => resolve(hostname, () => {});
  const answer = (hostname: string) => {
    const done = open.get(hostname);
    open.delete(hostname);
    done?.();
  };
  ask('slow-1.example');
  ask('slow-2.example');
  nowMs = 5_000;
  answer('slow-1.example');
  answer('slow-2.example');
  for (const name of ['slow-1.example', 'slow-2.example', 'good.example']) ask(name);
  expect([...open.keys()]).toEqual(['slow-1.example', 'good.example']);
  answer('good.example');
  expect([...open.keys()]).toEqual(['slow-1.example']);
  answer('slow-1.example');
  expect([...open.keys()]).toEqual(['slow-2.example']);
});
