import type { ListeningSettings } from '@earshot/listening';
import { listeningChangeSchema } from '@earshot/listening';
import type { Registry } from '@earshot/registry';
import type { FastifyInstance } from 'fastify';
import { callOf } from './call-of.js';
import { validate } from './validate.js';

/** What the routes stand on. */
export interface ListeningRoutesOptions {
  readonly registry: Registry;
  /** Of calls for which nothing was ever stored. */
  readonly initial: ListeningSettings;
}

interface CallParams {
  Params: { id: string };
}

const READ = { config: { scope: 'calls:read' } } as const;
const CONTROL = { config: { scope: 'calls:control' } } as const;
const LISTENING = '/v1/calls/:id/listening';

/** `/v1/calls/:id/listening`: what is listened for in a call. */
export function addListeningRoutes(
  app: FastifyInstance,
  { registry, initial }: ListeningRoutesOptions,
): void {
  app.get<CallParams>(LISTENING, READ, async ({ params }): Promise<ListeningSettings> => {
    const { callId } = await callOf(registry, params.id);
    return (await registry.listening(callId)) ?? initial;
  });

  app.patch<CallParams>(
    LISTENING,
    CONTROL,
    async ({ params, body }): Promise<ListeningSettings> => {
      const change = validate(listeningChangeSchema, body, 'body');
      const { callId } = await callOf(registry, params.id);
      return registry.setListening(callId, change, initial);
    },
  );
}
