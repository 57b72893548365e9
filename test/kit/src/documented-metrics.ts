import { readFile } from 'node:fs/promises';

const PAGE = new URL('../../../docs/metrics.md', import.meta.url);
/** On every series, or of the format itself. */
const NO_LABELS: ReadonlySet<string> = new Set(['service', 'le']);

interface Metric {
  readonly type: string;
  readonly help: string;
  /** Sorted; undefined when no series showed them. */
  readonly labels: string | undefined;
}

/**
 * The rows of docs/metrics.md as they are in the section of a service, and as they would have to be
 * for what it serves. Metrics of the process are left out: they are prom-client's.
 *
 * @param served the answer of `/metrics`
 */
export async function metricRows(
  service: string,
  served: string,
): Promise<{ documented: string[]; served: string[] }> {
  const documented = parseSection(await readFile(PAGE, 'utf8'), service);
  const actual = parseText(served);
  const rows = (metrics: ReadonlyMap<string, Metric>) =>
    [...metrics].map(([name, metric]) =>
      rowOf(name, { ...metric, labels: metric.labels ?? documented.get(name)?.labels }),
    );
  return { documented: rows(documented).sort(), served: rows(actual).sort() };
}

function rowOf(name: string, { type, help, labels = '' }: Metric): string {
  return `| \`${name}\` | ${type} | ${labels} | ${help} |`;
}

function parseSection(page: string, service: string): Map<string, Metric> {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${service}\n`)) ?? '';
  const rows = section.matchAll(/^\| `(\w+)` *\| (\w+) *\|([^|]*)\| (.*?) *\|$/gm);
  return new Map(
    [...rows].map(([, name = '', type = '', labels = '', help = '']) => [
      name,
      { type, help, labels: labels.trim() },
    ]),
  );
}

function parseText(text: string): Map<string, Metric> {
  const types = text.matchAll(/^# TYPE (earshot_\w+) (\w+)$/gm);
  return new Map(
    [...types].map(([, name = '', type = '']) => [
      name,
      { type, help: helpOf(text, name), labels: labelsOf(text, name) },
    ]),
  );
}

function helpOf(text: string, name: string): string {
  return new RegExp(`^# HELP ${name} (.*)$`, 'm').exec(text)?.[1] ?? '';
}

function labelsOf(text: string, name: string): string | undefined {
  const series = new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{(.*)\\} `, 'm').exec(text);
  if (series === null) return undefined;
  const names = [...(series[1] ?? '').matchAll(/(\w+)="/g)].map(([, label = '']) => label);
  return names
    .filter((label) => !NO_LABELS.has(label))
    .sort()
    .map((label) => `\`${label}\``)
    .join(', ');
}
