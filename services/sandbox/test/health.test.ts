import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@earshot/async/system';
import { HostLinkServer } from '@earshot/bridge';
import { createLog } from '@earshot/telemetry';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Stage } from './test-stage.js';
import { openStage } from './test-stage.js';

const WAIT = { timeout: 30_000 };

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});

afterAll(() => stage.close());

async function probe(path: string): Promise<{ code: number; body: unknown }> {
  const response = await stage.fetch(stage.sandbox.ready.url + path);
  return { code: response.status, body: JSON.parse(await response.text()) };
}

it('is red while the host link is down for long, and green without one or with it', async () => {
  const green = { code: 200, body: { status: 'ready' } };
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stage.closers.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const open = (): HostLinkServer =>
    new HostLinkServer({
      server,
      path: '/v1/host-link',
      authorize: () => true,
      clock: systemClock,
      log: createLog({ service: 'test', level: 'silent' }),
    });
  expect(await probe('/readyz')).toMatchObject(green);
  const first = open();
  const { port } = server.address() as AddressInfo;
  await stage.sandbox.connectHost(`ws://127.0.0.1:${port}/v1/host-link`, 'a-key-for-media-hosts');
  expect(await probe('/readyz')).toMatchObject(green);
  await first.close();
  await expect
    .poll(() => probe('/readyz'), WAIT)
    .toMatchObject({
      code: 503,
      body: { status: 'not_ready', checks: { host_link_down: { failing: true, value: 1 } } },
    });
  expect(await probe('/livez')).toMatchObject({ code: 200, body: { status: 'alive' } });
  const second = open();
  stage.closers.defer(() => second.close());
  await expect.poll(() => probe('/readyz'), WAIT).toMatchObject(green);
});
