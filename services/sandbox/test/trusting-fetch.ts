import { request } from 'node:https';

/**
 * A fetch that trusts one more certificate for https, as `NODE_EXTRA_CA_CERTS` makes a process
 * do at its start; http goes the usual way.
 */
export function trustingFetch(ca: string, plain: typeof fetch): typeof fetch {
  return async (input, init) => {
    const wanted = new Request(input, init);
    if (!wanted.url.startsWith('https:')) return plain(wanted);
    const body = Buffer.from(await wanted.arrayBuffer());
    return new Promise((resolve, reject) => {
      const sent = request(
        wanted.url,
        { method: wanted.method, headers: Object.fromEntries(wanted.headers), ca },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            const status = answer.statusCode ?? 0;
            const headers = new Headers();
            for (const [name, value] of Object.entries(answer.headers)) {
              headers.set(name, String(value));
            }
            const hasBody = status !== 204 && status !== 304;
            resolve(new Response(hasBody ? Buffer.concat(chunks) : null, { status, headers }));
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  };
}
