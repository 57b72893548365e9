import type { Agent } from 'node:http';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { proxyAddress } from './proxy-address.js';
import { ProxyError } from './proxy-error.js';

/** The way through a proxy for one connection of `ws`. */
export interface Tunnel {
  readonly agent: Agent;
  /** What kept the proxy from opening the way; undefined once it is open. */
  fault(): ProxyError | undefined;
  /** Gives it up: to be called if no connection comes of it, so that the proxy's is ended too. */
  abort(): void;
}

/** Made ready; opened by the request that uses `agent`. */
export function openTunnel(proxy: URL): Tunnel {
  const { url, authorization } = proxyAddress(proxy);
  const controller = new AbortController();
  let status: number | undefined;
  const agent = new HttpsProxyAgent(url, {
    headers: authorization === undefined ? {} : { 'Proxy-Authorization': authorization },
    signal: controller.signal,
  });
  agent.on('proxyConnect', ({ statusCode }: { readonly statusCode: number }) => {
    status = statusCode;
  });
  return {
    agent,
    fault: () => (status === 200 ? undefined : new ProxyError(status)),
    abort: () => controller.abort(),
  };
}
