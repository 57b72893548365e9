import { describe, expect, test } from 'vitest';
import { findDrift, findHoles, findRuleFaults, readText, tablesOf } from '../check-vectors.mjs';
import * as hostSchemas from '../src/host-schemas.js';
import * as codec from '../src/index.js';
import * as mediaSchemas from '../src/media-schemas.js';
import { vectors } from './vectors.js';

const tables = tablesOf(hostSchemas, mediaSchemas);

describe('check-vectors', () => {
  test('finds no drift, no hole and no lost rule', () => {
    expect(findDrift(codec, vectors)).toEqual([]);
    expect(findHoles(tables, vectors)).toEqual([]);
    expect(findRuleFaults(readText('README.md'), vectors)).toEqual([]);
  });

  test('finds a byte that drifted, a message without a vector, and a rule that is gone', () => {
    const { frames, control } = structuredClone(vectors);
    const [first] = frames.valid;
    first!.hex = first!.hex.replace(/..$/, '01');
    const marks = control.valid.filter((v) => v.message.type === 'mark');
    const others = control.valid.filter((v) => v.message.type !== 'mark');
    others[0]!.text = others[0]!.text.replace('{', '{ ');
    const changed = { frames, control: { ...control, valid: others } };
    expect(marks.length).toBeGreaterThan(0);
    expect(findDrift(codec, changed)).toHaveLength(3);
    expect(findHoles(tables, changed)).toContain('media worker: mark has no valid vector');
    expect(findRuleFaults('- **F-1** sender: see F-99.', vectors)).toContain(
      'F-99 is named and does not exist',
    );
    expect(findRuleFaults('- **F-1** a\n- **F-1** b', vectors)).toContain('F-1 is there twice');
  });

  test('names of vectors are unique', () => {
    const names = [
      ...vectors.frames.valid.map((v) => `${v.kind} ${v.name}`),
      ...vectors.frames.invalid.map((v) => `${v.kind} ${v.name}`),
      ...vectors.control.valid.map((v) => `${v.link} ${v.from} ${v.name}`),
      ...vectors.control.invalid.map((v) => `${v.link} ${v.from} ${v.name}`),
    ];
    expect(new Set(names).size).toBe(names.length);
  });
});
