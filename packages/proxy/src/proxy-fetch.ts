import type { Dispatcher, Pool, ProxyAgent } from 'undici';
import { proxyAddress } from './proxy-address.js';
import { ProxyError } from './proxy-error.js';
import { proxyRoutes } from './proxy-routes.js';
import type { ProxySettings } from './proxy-settings.js';

/** How long a proxy may take to open the way, ms. */
const TUNNEL_MS = 15_000;

/** `fetch` by way of proxies, with their connections. */
export interface ProxyFetch {
  /**
   * As the global one, but for bodies of `FormData`. Where the proxy did not let it through, what it
   * rejects with has a `ProxyError` among its causes. An `http:` address is asked of the proxy itself:
   * of its answers only 407 can be told from the service's own, which is a `ProxyError` too.
   */
  readonly fetch: typeof fetch;
  /** Ends all requests that are on their way through proxies. Idempotent. */
  close(): Promise<void>;
}

type Undici = typeof import('undici');

/** What needs no proxy goes by the global `fetch`. */
export function openProxyFetch(settings: ProxySettings): ProxyFetch {
  const routeOf = proxyRoutes(settings);
  const agents = new Map<string, ProxyAgent>();

  function agentOf(undici: Undici, proxy: URL): ProxyAgent {
    const agent = agents.get(proxy.href) ?? openAgent(undici, proxy);
    agents.set(proxy.href, agent);
    return agent;
  }

  return {
    fetch: async (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      const proxy = routeOf(new URL(url));
      if (proxy === undefined) return fetch(input, init);
      // It is large, and without proxies nobody needs it.
      const undici = await import('undici');
      const dispatcher = agentOf(undici, proxy);
      // Of the same shape as Node's own, which is of another version of the same library.
      const request = { ...init, dispatcher } as Parameters<Undici['fetch']>[1];
      try {
        return (await undici.fetch(url, request)) as unknown as Response;
      } catch (error) {
        throw url.startsWith('http:') ? (ofPlain(error) ?? error) : error;
      }
    },
    async close() {
      await Promise.all(Array.from(agents.values(), (agent) => agent.destroy()));
    },
  };
}

/** Where no way is opened, connections are those to the proxy; 407 is its word alone. */
function ofPlain(error: unknown): ProxyError | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error) || !('code' in cause)) return undefined;
  if (cause.code === 'UND_ERR_INVALID_ARG' && cause.message.includes('(407)')) {
    return new ProxyError(407, error);
  }
  const isConnecting = 'syscall' in cause && /^(connect|getaddrinfo)$/.test(String(cause.syscall));
  const isUnreachable = isConnecting || cause.code === 'UND_ERR_CONNECT_TIMEOUT';
  return isUnreachable ? new ProxyError(undefined, error) : undefined;
}

function openAgent({ Pool, ProxyAgent }: Undici, proxy: URL): ProxyAgent {
  const { url, authorization } = proxyAddress(proxy);
  return new ProxyAgent({
    uri: url,
    ...(authorization === undefined ? {} : { token: authorization }),
    // Proxies often open the way to secure ports alone; the rest they fetch themselves.
    proxyTunnel: false,
    clientFactory: (origin, options) =>
      telling(new Pool(origin, { ...options, headersTimeout: TUNNEL_MS })),
  });
}

type Open = (options: Dispatcher.ConnectOptions) => Promise<Dispatcher.ConnectData>;

/** Connections to a proxy, which tell what it answered when it does not open the way. */
function telling(pool: Pool): Dispatcher {
  const open: Open = pool.connect.bind(pool);
  return Object.assign(pool, {
    connect: async (options: Dispatcher.ConnectOptions) => {
      const answer = await open(options).catch((cause: unknown) => {
        throw new ProxyError(undefined, cause);
      });
      if (answer.statusCode === 200) return answer;
      answer.socket.on('error', () => {}).destroy();
      throw new ProxyError(answer.statusCode);
    },
  });
}
