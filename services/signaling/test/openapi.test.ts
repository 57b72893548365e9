import { readdir, readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTE_DESCRIPTIONS } from '../src/rest/openapi.js';
import { PROBLEM_CODES } from '../src/rest/problem-codes.js';
import { Harness } from './support/harness.js';

describe('the OpenAPI document', () => {
  let harness: Harness;
  let document: Document;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start();
    document = (await harness.get<Document>('/openapi.json')).body;
  });

  afterAll(() => harness.close());

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate({ ...structuredClone(document) });
    expect(JSON.stringify(errors ?? []).slice(0, 2000)).toBe('[]');
    expect(valid).toBe(true);
    expect(validator.version).toBe('3.1');
    expect(JSON.stringify(document)).not.toContain('$schema');
  });

  it('has every described route: what is registered and not described does not start', () => {
    expect(operations(document).map(({ name }) => name)).toEqual(Object.keys(ROUTE_DESCRIPTIONS));
  });

  it('has an Idempotency-Key for every POST that does something for a caller', () => {
    const without = operations(document)
      .filter(({ name }) => name.startsWith('POST ') && !name.includes('/callbacks/'))
      .filter(({ operation }) => !JSON.stringify(operation.parameters).includes('Idempotency-Key'))
      .map(({ name }) => name);
    // Always refused.
    expect(without).toEqual(['POST /v1/calls/{id}/prompts']);
  });

  it('pages every list', () => {
    for (const { name, operation } of operations(document)) {
      const { schema } = operation.responses['200']?.content?.['application/json'] ?? {};
      const isList = schema?.$ref?.endsWith('List') || schema?.$ref?.endsWith('/Roster');
      if (!isList) continue;
      const parameters = operation.parameters.map((parameter) => parameter.name);
      expect(parameters, name).toEqual(expect.arrayContaining(['limit', 'cursor']));
    }
  });

  it('names a schema for everything that it refers to', () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(0);
    for (const [, name = ''] of references) {
      expect(Object.keys(document.components.schemas)).toContain(name);
    }
  });

  it('tells of each route under the door what it may answer beside success', () => {
    for (const { name, operation } of operations(document)) {
      if (!name.includes(' /v1/') || name.includes('/callbacks/')) continue;
      expect(Object.keys(operation.responses), name).toEqual(
        expect.arrayContaining(['401', '500', '503']),
      );
      expect(operation.security, name).toHaveLength(1);
      expect(operation.operationId, name).toMatch(/^[a-z]\w+$/);
    }
    const ids = operations(document).map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has a code in its list for every problem that the sources can throw', async () => {
    const thrown = new Set<string>();
    for (const text of await sources()) {
      for (const [, code = ''] of text.matchAll(/\bcode: '([a-z_]+)',\n\s*title:/g)) {
        thrown.add(code);
      }
      for (const [, code = ''] of text.matchAll(/^ {2}([a-z_]+): \{ status: \d+, title:/gm)) {
        thrown.add(code);
      }
    }
    expect(thrown.size).toBeGreaterThan(15);
    expect(Object.keys(PROBLEM_CODES)).toEqual(expect.arrayContaining([...thrown]));
  });

  it('lists the same codes in the README', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const table = readme.slice(readme.indexOf('### Problems'));
    const rows = [...table.matchAll(/^\| `([a-z_]+)` +\| ([\d, ]+?) +\|/gm)];
    const listed = rows.map(([, code, statuses]) => `${code} ${statuses}`);
    const known = Object.entries(PROBLEM_CODES).map(
      ([code, { statuses }]) => `${code} ${statuses.join(', ')}`,
    );
    expect(listed.sort()).toEqual(known.sort());
  });
});

describe('/docs', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start();
  });

  afterAll(() => harness.close());

  it('loads everything from the service itself, and may load nothing else', async () => {
    const { url } = harness.signaling;
    const page = await fetch(`${url}/docs`);
    const html = await page.text();
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/https?:|\*/);
    const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
    expect(assets).toHaveLength(4);
    for (const path of assets.filter((asset) => asset !== 'data:,')) {
      expect(path).toMatch(/^\/docs\/[\w.-]+$/);
      const asset = await fetch(url + path);
      expect(asset.status).toBe(200);
      expect(asset.headers.get('content-type')).toMatch(
        path.endsWith('.css') ? 'text/css' : 'text/javascript',
      );
      expect((await asset.text()).length).toBeGreaterThan(100);
    }
    expect(html).not.toMatch(/<script>|<style|onload=/);
  });

  it.each(['package.json', '..%2Fpackage.json', 'constructor'])('has no %s', async (asset) => {
    const answer = await harness.get<{ code: string }>(`/docs/${asset}`);
    expect(answer.body).toMatchObject({ status: 404, code: 'route_not_found' });
  });
});

interface Operation {
  readonly operationId: string;
  readonly security: readonly unknown[];
  readonly parameters: readonly { readonly name: string }[];
  readonly responses: Readonly<
    Record<
      string,
      { readonly content?: Readonly<Record<string, { readonly schema: { $ref?: string } }>> }
    >
  >;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

function operations({ paths }: Document): { name: string; operation: Operation }[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  );
}

async function sources(): Promise<string[]> {
  const folder = new URL('../src/', import.meta.url);
  const files = await readdir(folder, { recursive: true });
  const texts = files.filter((file) => file.endsWith('.ts'));
  return Promise.all(texts.map((file) => readFile(new URL(file, folder), 'utf8')));
}
