import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** How an action is answered in place of the usual; `cut` drops the connection unanswered. */
export type ActionAnswer =
  | 'cut'
  | {
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    };

/** An operation that Graph has begun. */
export interface BegunOperation {
  readonly id: string;
  readonly type: string;
  readonly clientContext: unknown;
}

/** Actions that Graph answers with an operation, by the last part of their path. */
const OPERATIONS: Readonly<Record<string, { type: string; status: string }>> = {
  mute: { type: 'muteParticipantOperation', status: 'completed' },
  unmute: { type: 'unmuteParticipantOperation', status: 'completed' },
  sendDtmfTones: { type: 'sendDtmfTonesOperation', status: 'running' },
  invite: { type: 'inviteParticipantsOperation', status: 'Running' },
  addLargeGalleryView: { type: 'addLargeGalleryViewOperation', status: 'running' },
  startHoldMusic: { type: 'startHoldMusicOperation', status: 'completed' },
  stopHoldMusic: { type: 'stopHoldMusicOperation', status: 'completed' },
};

/** Actions that Graph answers with a status alone. */
const ACCEPTED: ReadonlySet<string> = new Set(['changeScreenSharingRole', 'transfer']);

/** What Graph was seen to answer to actions on a call that is up. */
export class GraphActions {
  readonly begun: BegunOperation[] = [];
  readonly #answers = new Map<string, ActionAnswer[]>();

  /** The next request for this action, by the last part of its path, gets this answer instead. */
  answerNext(action: string, answer: ActionAnswer): void {
    this.#answers.set(action, [...(this.#answers.get(action) ?? []), answer]);
  }

  get last(): BegunOperation {
    const last = this.begun.at(-1);
    if (last === undefined) throw new Error('no operation was begun');
    return last;
  }

  /** Answers what it knows; false for the rest. */
  answer(
    { method, path, body }: { method: string; path: string; body: object | undefined },
    response: ServerResponse,
  ): boolean {
    const [, below = ''] = /\/communications\/calls\/[^/]+\/(.+)$/.exec(path) ?? [];
    const action = below.split('/').at(-1) ?? '';
    const isOnParticipant = method === 'DELETE' && below.startsWith('participants/');
    const name = isOnParticipant ? 'removeParticipant' : action;
    const given = this.#answers.get(name)?.shift();
    if (given === 'cut') response.socket?.destroy();
    else if (given !== undefined) send(response, given.status, given.body, given.headers);
    else if (isOnParticipant) send(response, 204);
    else if (ACCEPTED.has(action)) send(response, 202);
    else if (action in OPERATIONS) send(response, 200, this.#begin(action, body));
    else return false;
    return true;
  }

  #begin(action: string, body: object | undefined): unknown {
    const { type = '', status = '' } = OPERATIONS[action] ?? {};
    const clientContext = body !== undefined && 'clientContext' in body ? body.clientContext : null;
    const begun = { id: randomUUID(), type, clientContext };
    this.begun.push(begun);
    return {
      '@odata.type': `#microsoft.graph.${type}`,
      id: begun.id,
      status,
      clientContext,
      resultInfo: null,
    };
  }
}

/** How Graph tells that an operation is over. */
export function operationItem(
  graphCallId: string,
  { id, type, clientContext }: Partial<BegunOperation> & { id: string },
  status: string,
  result = { code: 200, subcode: 0 },
): unknown {
  return {
    '@odata.type': '#microsoft.graph.commsNotification',
    changeType: 'deleted',
    resourceUrl: `/communications/calls/${graphCallId}/operations/${id}`,
    resourceData: {
      '@odata.type': `#microsoft.graph.${type ?? 'commsOperation'}`,
      id,
      status,
      ...(clientContext === undefined ? {} : { clientContext }),
      resultInfo: { ...result, message: 'Told.' },
    },
  };
}

function send(
  response: ServerResponse,
  status: number,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
