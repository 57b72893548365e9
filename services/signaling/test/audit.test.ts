import type { AuditEntry } from '@earshot/registry';
import { createLog, createMetrics } from '@earshot/telemetry';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Audit } from '../src/audit/audit.js';
import type { AuditListView, AuditRecordView } from '../src/rest/audit-schemas.js';
import type { Problem } from './support/harness.js';
import { API_KEY, Harness, JOIN_URL, WAIT } from './support/harness.js';

const READER = 'key-that-may-read-calls';
const KEYS = [{ id: 'reader', key: READER, scopes: ['calls:read'] }];
/** Of letters that no id can have by chance. */
const NAME = 'Åda Løvelace';
const ENTRY: AuditEntry = { action: 'test', actor: 'me', outcome: 'ok' };

describe('the audit log', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start({ environment: { EARSHOT_API_KEYS: JSON.stringify(KEYS) } });
    await harness.host();
  });

  afterAll(() => harness.close());

  async function all(): Promise<readonly AuditRecordView[]> {
    return (await harness.get<AuditListView>('/v1/audit?limit=1000')).body.records;
  }

  /** Entries are stored after the answer. */
  function entry(
    isWanted: (record: AuditRecordView) => boolean,
  ): Promise<AuditRecordView | undefined> {
    return vi.waitUntil(async () => (await all()).find(isWanted), WAIT);
  }

  it('tells who joined and who hung up, and nothing of the meeting', async () => {
    const { body } = await harness.join({ joinUrl: JOIN_URL, displayName: NAME });
    await harness.request('DELETE', `/v1/calls/${body.id}`);
    const ended = await entry(
      ({ action, callId }) => action === 'DELETE /v1/calls/:id' && callId === body.id,
    );
    expect(ended).toMatchObject({ actor: 'default', outcome: 'ok', status: 202 });
    const joined = await entry(({ action }) => action === 'POST /v1/calls');
    expect(joined).toEqual({
      id: expect.stringMatching(/^\d+-\d+$/),
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      action: 'POST /v1/calls',
      actor: 'default',
      callId: body.id,
      outcome: 'ok',
      status: 201,
    });
    const text = JSON.stringify(await all());
    for (const secret of [...NAME.split(' '), 'teams.microsoft.com', API_KEY]) {
      expect(text).not.toContain(secret);
    }
  });

  it('tells of refusals and failures with their codes', async () => {
    const as = { authorization: `Bearer ${READER}` };
    await harness.request('DELETE', '/v1/calls/c_reader', undefined, as);
    expect(await entry(({ callId }) => callId === 'c_reader')).toMatchObject({
      actor: 'reader',
      outcome: 'refused',
      status: 403,
      code: 'missing_scope',
    });
    harness.graph.answerNext('create', { status: 403, body: { error: { code: '7503' } } });
    await harness.join();
    expect(await entry(({ status }) => status === 502)).toMatchObject({
      outcome: 'failed',
      code: 'graph_refused',
    });
  });

  it('does not hold what only reads, nor who has no key', async () => {
    const nobody = { authorization: 'Bearer nobody' };
    await harness.request('DELETE', '/v1/calls/c_nobody', undefined, nobody);
    await harness.get('/v1/calls');
    await harness.request('DELETE', '/v1/calls/c_marker');
    await entry(({ callId }) => callId === 'c_marker');
    const records = await all();
    expect(records.filter(({ callId }) => callId === 'c_nobody')).toEqual([]);
    expect(records.filter(({ action }) => action.startsWith('GET'))).toEqual([]);
  });

  it('is paged, for keys that may read it', async () => {
    await entry(({ action }) => action === 'DELETE /v1/calls/:id');
    const whole = await all();
    const first = (await harness.get<AuditListView>('/v1/audit?limit=1')).body;
    expect(first.records).toEqual(whole.slice(0, 1));
    const next = await harness.get<AuditListView>(`/v1/audit?limit=1&cursor=${first.nextCursor}`);
    expect(next.body.records).toEqual(whole.slice(1, 2));
    const wrong = await harness.get<Problem>('/v1/audit?cursor=x');
    expect(wrong.body).toMatchObject({ status: 400, code: 'invalid_cursor' });
    const as = { authorization: `Bearer ${READER}` };
    const refused = await harness.request<Problem>('GET', '/v1/audit', undefined, as);
    expect(refused.body.code).toBe('missing_scope');
  });

  it('has the entry stored before record() resolves, and its line in the log', async () => {
    const lines: string[] = [];
    const log = createLog({
      service: 'test',
      level: 'info',
      destination: { write: (line) => void lines.push(line) },
    });
    const audit = new Audit({
      store: harness.registry.audit,
      log,
      metrics: createMetrics({ service: 'test' }),
    });
    await audit.record({ ...ENTRY, detail: { policy: 'p-1' } });
    expect((await all())[0]).toMatchObject({ ...ENTRY, detail: { policy: 'p-1' } });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ ...ENTRY, level: 'info', msg: 'audit' });
  });
});

describe('an audit log without Redis', () => {
  it('fails what must not happen without it, and loses no line', async () => {
    const lines: string[] = [];
    const metrics = createMetrics({ service: 'test' });
    const audit = new Audit({
      store: {
        append: () => Promise.reject(new Error('away')),
      },
      log: createLog({
        service: 'test',
        level: 'info',
        destination: { write: (line) => void lines.push(line) },
      }),
      metrics,
    });
    await expect(audit.record(ENTRY)).rejects.toThrow('away');
    audit.note(ENTRY);
    await audit.drain();
    expect(lines.map((line) => JSON.parse(line).action)).toEqual(['test', 'test']);
    expect(await metrics.text()).toContain('audit_records_total{outcome="lost",service="test"} 2');
  });

  it('waits for so many entries and no more', async () => {
    const metrics = createMetrics({ service: 'test' });
    let settle: () => void = () => {};
    const stored = new Promise<never>((_, reject) => {
      settle = () => reject(new Error('away'));
    });
    let asked = 0;
    const audit = new Audit({
      store: {
        append() {
          asked += 1;
          return stored;
        },
      },
      log: createLog({ service: 'test', level: 'silent' }),
      metrics,
    });
    for (let i = 0; i < 1_010; i += 1) audit.note(ENTRY);
    expect(asked).toBe(1_000);
    settle();
    await audit.drain();
    expect(await metrics.text()).toContain(
      'audit_records_total{outcome="lost",service="test"} 1010',
    );
  });
});
