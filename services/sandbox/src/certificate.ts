import { isIP } from 'node:net';
import { generate } from 'selfsigned';

const LIFETIME_MS = 7 * 24 * 3_600_000;
/** Clocks of machines that talk to each other differ a little. */
const BACKDATE_MS = 3_600_000;

export interface Certificate {
  /** PEM; also what a client has to trust (`NODE_EXTRA_CA_CERTS`). */
  readonly certificate: string;
  /** PEM. */
  readonly privateKey: string;
}

/** A fresh self-signed certificate for this machine and `host`, good for a week. */
export async function createCertificate(host: string, nowUnixMs: number): Promise<Certificate> {
  const names = new Set(['localhost', '127.0.0.1', '::1', host]);
  const { cert, private: privateKey } = await generate(
    [{ name: 'commonName', value: 'localhost' }],
    {
      keyType: 'ec',
      curve: 'P-256',
      algorithm: 'sha256',
      notBeforeDate: new Date(nowUnixMs - BACKDATE_MS),
      notAfterDate: new Date(nowUnixMs + LIFETIME_MS),
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        {
          name: 'subjectAltName',
          altNames: [...names].map((name) =>
            isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name },
          ),
        },
      ],
    },
  );
  return { certificate: cert, privateKey };
}
