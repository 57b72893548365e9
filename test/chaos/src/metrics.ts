import https from 'node:https';

/** @param ca the authority to trust. */
export function getText(url: string, ca: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = https.get(url, { ca }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.once('end', () => resolve(text));
    });
    request.once('error', reject);
  });
}

/** Prometheus' text format, as far as ours goes: a name, labels, a number. */
export function readMetrics(text: string): Map<string, number> {
  const metrics = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^([a-z_]+)(?:\{.*\})? (\S+)/.exec(line);
    if (match?.[1] === undefined) continue;
    metrics.set(match[1], (metrics.get(match[1]) ?? 0) + Number(match[2]));
  }
  return metrics;
}
