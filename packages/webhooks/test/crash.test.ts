import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { message, until, upTo, usePods } from './support.js';

const pods = usePods({ persistent: 'always' });
/** Of a pod that died; the real one is longer. */
const LOCK_MS = 1_500;

/** A pod in a process of its own, which delivers what the others dispatch. */
async function podProcess() {
  const script = `
    import { AddressRules, Webhooks } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL('../../async/dist/system.js', import.meta.url).href)};
    const webhooks = new Webhooks({
      redisUrl: ${JSON.stringify(pods.server.url)},
      clock: systemClock,
      random: Math.random,
      addresses: new AddressRules({ allowedRanges: ['127.0.0.0/8'] }),
      limits: { lockMs: ${LOCK_MS} },
    });
    await webhooks.ready();
    await webhooks.start();
    console.log('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(createInterface({ input: child.stdout }), 'line');
  return child;
}

describe('a pod that dies in the middle of a delivery', () => {
  it('leaves it to another: the same id again, and the order holds', async () => {
    const pod = await pods.pod({ limits: { lockMs: LOCK_MS } }, { starts: false });
    const endpoint = await pods.receiver();
    endpoint.answer = () => {};
    const { id } = await pod.admin.create({ url: endpoint.url });
    const child = await podProcess();
    for (const n of upTo(5)) await pod.dispatch(message('c_0', n));
    await until(() => endpoint.got.length === 1);
    endpoint.answer = (_received, response) => void response.writeHead(200).end();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await pod.start();
    await until(async () => (await pod.admin.find(id)).health.delivered === 5);
    expect(endpoint.numbers()).toEqual([0, 0, 1, 2, 3, 4]);
    expect(endpoint.got[1]?.id).toBe(endpoint.got[0]?.id);
  });
});

describe('while Redis is away', () => {
  it('events wait to be queued, and nothing queued is lost', async () => {
    const pod = await pods.pod();
    const endpoint = await pods.receiver();
    const { id } = await pod.admin.create({ url: endpoint.url });
    for (const n of upTo(10)) await pod.dispatch(message('c_0', n));
    await pods.server.kill();
    const waiting = pod.dispatch(message('c_0', 10));
    await pods.server.restart();
    await waiting;
    await until(async () => {
      const { deliveries } = await pod.admin.deliveries(id, { limit: 100 });
      return deliveries.length === 11 && deliveries.every((each) => each.status === 'delivered');
    });
    expect([...new Set(endpoint.numbers())]).toEqual(upTo(11));
  });
});
