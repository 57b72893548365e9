import { CodedError } from '@earshot/async';
import type { DeadLetter, DeadLetterFilter } from '@earshot/events';
import { withSubscriptions } from './events-subscriptions.js';

export interface DeadOptions {
  /** Redis of the deployment; by default that of the newest run of this checkout. */
  readonly redis?: string;
  readonly subscription: string;
}

export interface DeadListOptions extends DeadOptions {
  readonly type?: string;
  readonly call?: string;
  readonly limit: number;
  /** The `next` of the page before. */
  readonly before?: string;
  readonly json: boolean;
}

export interface DeadSelectOptions extends DeadOptions {
  readonly type?: string;
  readonly call?: string;
  /** Needed when neither ids nor filters are given. */
  readonly all: boolean;
  readonly json: boolean;
}

const HEADINGS = ['ID', 'FAILED AT', 'TYPE', 'CALL', 'POSITION', 'ERROR'];
const ERROR_COLUMNS = 60;

/** `earshot events dead list`: newest first; the whole letters as one JSON object, or a table. */
export async function eventsDeadList(options: DeadListOptions): Promise<void> {
  const { limit, before } = options;
  const page = await withSubscriptions(options, (subscriptions) =>
    subscriptions.deadLetters(options.subscription, { ...filterOf([], options), limit, before }),
  );
  if (options.json) return print(JSON.stringify(page));
  if (page.letters.length === 0) return print('no dead letters');
  print(table([HEADINGS, ...page.letters.map(rowOf)]));
  if (page.next !== null) print(`more: --before ${page.next}`);
}

/** `earshot events dead show`: one letter as JSON, with the event as it came. */
export async function eventsDeadShow(id: string, options: DeadOptions): Promise<void> {
  const letter = await withSubscriptions(options, (subscriptions) =>
    subscriptions.deadLetter(options.subscription, id),
  );
  if (letter === undefined) {
    throw new CodedError(
      'dead_letter_not_found',
      `Cannot show the dead letter: it must be in the subscription ${options.subscription}, got an id that is not`,
      { fix: 'See `earshot events dead list`; it may have been replayed or dropped.' },
    );
  }
  print(JSON.stringify(letter, null, 2));
}

/** `earshot events dead replay`: gives the events to the consumers again. */
export async function eventsDeadReplay(
  ids: readonly string[],
  options: DeadSelectOptions,
): Promise<void> {
  const filter = selectionOf(ids, options);
  const result = await withSubscriptions(options, (subscriptions) =>
    subscriptions.replay(options.subscription, filter),
  );
  if (options.json) return print(JSON.stringify(result));
  print(`replayed ${count(result.replayed)}`);
  if (result.invalid > 0) print(`kept ${count(result.invalid)}: no valid events`);
  if (result.withheld > 0) {
    print(`kept ${count(result.withheld)}: what was said or keyed is gone, recording gate closed`);
  }
}

/** `earshot events dead drop`: forgets letters. */
export async function eventsDeadDrop(
  ids: readonly string[],
  options: DeadSelectOptions,
): Promise<void> {
  const filter = selectionOf(ids, options);
  const dropped = await withSubscriptions(options, (subscriptions) =>
    subscriptions.drop(options.subscription, filter),
  );
  print(options.json ? JSON.stringify({ dropped }) : `dropped ${count(dropped)}`);
}

function selectionOf(ids: readonly string[], options: DeadSelectOptions): DeadLetterFilter {
  const filter = filterOf(ids, options);
  if (options.all || Object.keys(filter).length > 0) return filter;
  throw new CodedError(
    'nothing_selected',
    'Cannot choose dead letters: there must be ids, --type, --call or --all, got none',
  );
}

function filterOf(
  ids: readonly string[],
  { type, call }: { readonly type?: string; readonly call?: string },
): DeadLetterFilter {
  return {
    ...(ids.length > 0 && { ids }),
    ...(type !== undefined && { type }),
    ...(call !== undefined && { callId: call }),
  };
}

function rowOf({ id, failedAt, error, event, withheldBytes }: DeadLetter): string[] {
  const fields: Record<string, unknown> = typeof event === 'object' ? { ...event } : {};
  const { type, callId, position } = fields;
  const note = withheldBytes === undefined ? '' : ' (content not kept)';
  const told = cell(error).slice(0, ERROR_COLUMNS) + note;
  return [id, failedAt, ...[type, callId, position].map(cell), told];
}

/** What came may be anything: also what a terminal would obey. */
function cell(value: unknown): string {
  const isPlain = typeof value === 'string' || typeof value === 'number';
  return isPlain ? String(value).replace(/[\p{Cc}\s]+/gu, ' ') : '-';
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function count(letters: number): string {
  return letters === 1 ? '1 event' : `${letters} events`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
