/** A proxy without its credentials, which libraries might tell of, and these as a header's value. */
export interface ProxyAddress {
  readonly url: string;
  /** Undefined: there are none. */
  readonly authorization: string | undefined;
}

export function proxyAddress(proxy: URL): ProxyAddress {
  const url = new URL(proxy);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  if (username === '' && password === '') return { url: url.href, authorization: undefined };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    url: url.href,
    authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`,
  };
}
