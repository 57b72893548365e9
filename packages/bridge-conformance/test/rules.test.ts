import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HOST_RULES, sectionOf, specRuleOf, UNCHECKED, WORKER_RULES } from '../src/index.js';

const SPECIFICATION = new URL('../../bridge-protocol/README.md', import.meta.url);
const HEADING = /^#{2,3} (\d+(?:\.\d+)?)\.? /;
const RULE = /^- \*\*([A-Z]-\d+)\*\*/;

/** The section of each rule, as the specification has it. */
function specRules(): Map<string, string> {
  const rules = new Map<string, string>();
  let section = '';
  for (const line of readFileSync(SPECIFICATION, 'utf8').split('\n')) {
    section = HEADING.exec(line)?.[1] ?? section;
    const id = RULE.exec(line)?.[1];
    if (id !== undefined) rules.set(id, section);
  }
  return rules;
}

const SPEC = specRules();
const CHECKS = [...WORKER_RULES, ...HOST_RULES];

/** A table of Markdown as the formatter wants it: the first row is the head. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, n) =>
    Math.max(...rows.map((row) => (row[n] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
}

describe('the checks', () => {
  it.each([
    ['worker', WORKER_RULES],
    ['host', HOST_RULES],
  ] as const)('of the %s suite have ids of their own', (_, rules) => {
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
  });

  it('are for rules of the specification, and name the section where it has them', () => {
    const wrong = CHECKS.filter(({ id }) => SPEC.get(specRuleOf(id)) !== sectionOf(id));
    expect(wrong.map(({ id }) => `${id} §${sectionOf(id)}`)).toEqual([]);
  });

  it('cover every rule but those that say why not', () => {
    const checked = new Set(CHECKS.map(({ id }) => specRuleOf(id)));
    const silent = [...SPEC.keys()].filter((id) => !checked.has(id) && !(id in UNCHECKED));
    expect(silent).toEqual([]);
    expect(Object.keys(UNCHECKED).filter((id) => checked.has(id) || !SPEC.has(id))).toEqual([]);
  });

  it('are listed in RULES.md', async () => {
    const checks = (rules: readonly { id: string; title: string }[]): string[] =>
      table([
        ['check', '§', 'what must be'],
        ...rules.map(({ id, title }) => [id, sectionOf(id), title]),
      ]);
    const text = [
      '# Checks of the conformance suites',
      '',
      'Made from the code by `npm test -- packages/bridge-conformance -u`; sections are those of the',
      '[specification](../bridge-protocol/README.md).',
      '',
      `## Worker (${WORKER_RULES.length})`,
      '',
      ...checks(WORKER_RULES),
      '',
      `## Host (${HOST_RULES.length})`,
      '',
      ...checks(HOST_RULES),
      '',
      '## Rules without a check',
      '',
      ...table([['rule', 'why'], ...Object.entries(UNCHECKED)]),
      '',
    ].join('\n');
    await expect(text).toMatchFileSnapshot('../RULES.md');
  });
});
