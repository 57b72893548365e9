import { readFile } from 'node:fs/promises';
import { anything, assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkScenario, parseScenario } from '../src/scenario/parse-scenario.js';

const DOCUMENT = new URL('../../../docs/sandbox-scenarios.md', import.meta.url);

describe('parseScenario', () => {
  it('reads the examples of its document', async () => {
    const text = await readFile(DOCUMENT, 'utf8');
    const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => yaml);
    expect(examples.map((yaml) => parseScenario(yaml).name)).toEqual(['lobby', 'keep-alive-404']);
  });

  it('reads YAML, and JSON as the part of it that it is', () => {
    const scenario = parseScenario(
      'name: x\nrules:\n  - match: { nth: 2 }\n    setup: { hang: true }\n',
    );
    expect(scenario).toMatchObject({
      name: 'x',
      seed: 1,
      rules: [{ match: { nth: [2] }, setup: { hang: true }, steps: [], callbacks: [] }],
    });
    expect(parseScenario('{"name":"x"}')).toMatchObject({ name: 'x', rules: [] });
  });

  it.each([
    ['broken YAML', 'name: x\nrules: [', 'line 2, column 9'],
    ['no name', 'rules: []', 'name: '],
    ['a misspelt word', 'name: x\nruels: []', 'the whole has no such word: ruels'],
    [
      'a misspelt word inside',
      'name: x\nrules: [{ create: { refues: {} } }]',
      'rules[0].create has no such word: refues',
    ],
    [
      'a step that does nothing',
      'name: x\nrules: [{ steps: [{ atMs: 5 }] }]',
      'rules[0].steps[0]: must have exactly one of end, ',
    ],
    [
      'a step that does two things',
      'name: x\nrules: [{ steps: [{ atMs: 5, leave: a, mute: b }] }]',
      'rules[0].steps[0]: must have exactly one of end, ',
    ],
    [
      'a status that refuses nothing',
      'name: x\nrules: [{ create: { refuse: { status: 200 } } }]',
      'rules[0].create.refuse.status: ',
    ],
    [
      'a probability beyond all chance',
      'name: x\nrules: [{ callbacks: [{ do: lose, probability: 2 }] }]',
      'got 2',
    ],
    [
      'two choices of callbacks',
      'name: x\nrules: [{ callbacks: [{ do: lose, nth: 1, every: 2 }] }]',
      'rules[0].callbacks[0]: must have at most one of nth, every and probability',
    ],
    [
      'a refusal and a lost answer',
      'name: x\nrules: [{ create: { refuse: { status: 500 }, answer: cut } }]',
      'rules[0].create: must have either refuse or answer',
    ],
    ['no scenario at all', '', 'the whole: '],
    ['too many aliases', `a: &a [${'x,'.repeat(9)}]\nb: [${'*a,'.repeat(200)}]`, 'Cannot use file'],
  ])('refuses %s, and says where', (_name, text, where) => {
    expect(() => parseScenario(text, 'file.yaml')).toThrow(
      expect.objectContaining({
        code: 'invalid_scenario',
        message: expect.stringContaining(where),
      }),
    );
  });

  it('refuses with its own error, whatever the text and the value', () => {
    const codeOf = (run: () => unknown): string => {
      try {
        run();
        return 'invalid_scenario';
      } catch (error) {
        return Object(error).code;
      }
    };
    assert(property(string(), (text) => codeOf(() => parseScenario(text)) === 'invalid_scenario'));
    assert(
      property(anything(), (value) => codeOf(() => checkScenario(value)) === 'invalid_scenario'),
    );
  });
});
