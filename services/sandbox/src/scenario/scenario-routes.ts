import type { FastifyInstance } from 'fastify';
import { GraphFault } from '../graph/graph-fault.js';
import { checkScenario, parseScenario } from './parse-scenario.js';
import type { ScenarioBook } from './scenario-book.js';

/** `/sandbox/scenarios`: what is loaded, loading by YAML or JSON, and taking out. */
export function addScenarioRoutes(app: FastifyInstance, scenarios: ScenarioBook): void {
  app.get('/sandbox/scenarios', (_request, reply) =>
    reply.send({ scenarios: scenarios.summaries() }),
  );
  app.post('/sandbox/scenarios', (request, reply) => {
    const { body } = request;
    const scenario = typeof body === 'string' ? parseScenario(body) : checkScenario(body);
    return reply.code(201).send(scenarios.add(scenario));
  });
  app.delete('/sandbox/scenarios', (_request, reply) => {
    scenarios.clear();
    return reply.code(204).send();
  });
  app.delete<{ Params: { name: string } }>('/sandbox/scenarios/:name', (request, reply) => {
    if (scenarios.remove(request.params.name)) return reply.code(204).send();
    throw new GraphFault(404, 'scenario_not_found', 'No scenario of that name is loaded.');
  });
}
