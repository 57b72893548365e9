import type { Stage } from './test-stage.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Talks to the simulated Graph by plain HTTP, with a token of its tenant. */
export class GraphClient {
  /** What Graph answered with, of all types. */
  readonly resources: { readonly type: string; readonly value: unknown }[] = [];
  readonly #stage: Stage;
  readonly #token: string;

  private constructor(stage: Stage, token: string) {
    this.#stage = stage;
    this.#token = token;
  }

  static async open(stage: Stage): Promise<GraphClient> {
    const { clientId, clientSecret, authorityUrl, tenantId } = stage.sandbox.ready;
    const response = await stage.fetch(`${authorityUrl}/${tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
        scope: 'https://graph.microsoft.com/.default',
      }),
    });
    const answer = (await response.json()) as { access_token: string };
    return new GraphClient(stage, answer.access_token);
  }

  /** Sends to Graph; `path` below `/v1.0/communications/calls`, or a whole one. */
  async send(method: string, path: string, body?: unknown): Promise<Answer> {
    const prefix = path.startsWith('/v1.0') || path.startsWith('/beta') ? '' : CALLS;
    const url = path.startsWith('/sandbox') ? path : `${prefix}${path}`;
    const response = await this.#stage.fetch(`${this.#stage.sandbox.ready.url}${url}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const { status, headers } = response;
    const answer: Answer['body'] = text === '' ? {} : JSON.parse(text);
    for (const value of Array.isArray(answer['value']) ? answer['value'] : [answer]) {
      const type = /^#microsoft\.graph\.(\w+)$/.exec(String(value['@odata.type']))?.[1];
      if (type !== undefined) this.resources.push({ type, value });
    }
    return { status, headers, body: answer };
  }

  /** The status and Graph's code of a refusal, such as `400/8523`. */
  async refusal(method: string, path: string, body?: unknown): Promise<string> {
    const answer = await this.send(method, path, body);
    const error = answer.body['error'] as { code: string } | undefined;
    return `${answer.status}/${error?.code}`;
  }

  /** Creates a call whose callbacks go to the bot under `key`. */
  create(key: string, body: object): Promise<Answer> {
    const { bot } = this.#stage;
    return this.send('POST', '', { ...this.#basis(), callbackUri: bot.uri(key), ...body });
  }

  /** Media of a host of our own, by a fresh blob. */
  appHosted(): object {
    const { blob } = this.#stage.sandbox.mediaHost.allocate(`c_${crypto.randomUUID()}`);
    return { mediaConfig: { '@odata.type': '#microsoft.graph.appHostedMediaConfig', blob } };
  }

  /** The way into a meeting by its token. */
  meeting(name: string): object {
    const meeting = this.#stage.sandbox.meetings().find((one) => one.name === name);
    return {
      meetingInfo: {
        '@odata.type': '#microsoft.graph.tokenMeetingInfo',
        token: meeting?.joinToken ?? '',
      },
    };
  }

  #basis(): object {
    return {
      '@odata.type': '#microsoft.graph.call',
      requestedModalities: ['audio'],
      mediaConfig: { '@odata.type': '#microsoft.graph.serviceHostedMediaConfig' },
      tenantId: this.#stage.sandbox.ready.tenantId,
    };
  }
}

/** People to call up. */
export function userTarget(id: string, displayName = 'Somebody'): object {
  return target('user', { id, displayName });
}

export function phoneTarget(id: string): object {
  return target('phone', { id });
}

function target(kind: string, identity: object): object {
  return {
    '@odata.type': '#microsoft.graph.invitationParticipantInfo',
    identity: {
      '@odata.type': '#microsoft.graph.identitySet',
      [kind]: { '@odata.type': '#microsoft.graph.identity', ...identity },
    },
  };
}

const CALLS = '/v1.0/communications/calls';
