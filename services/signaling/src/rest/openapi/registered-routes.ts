import type { FastifyInstance } from 'fastify';
import type { RouteDescriptions, RouteName } from './route-description.js';

/** A route as it was registered. */
export interface RegisteredRoute {
  readonly name: RouteName;
  /** What the API key must allow; undefined for routes that want no key. */
  readonly scope: string | undefined;
}

/**
 * The routes that `app` gets from now on, filled as they are registered.
 *
 * @throws Error at start-up for a route that `descriptions` does not know: none may be forgotten.
 */
export function collectRoutes(
  app: FastifyInstance,
  descriptions: RouteDescriptions,
): readonly RegisteredRoute[] {
  const routes: RegisteredRoute[] = [];
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const verb of [method].flat()) {
      // Fastify answers HEAD wherever there is a GET.
      if (verb === 'HEAD') continue;
      const name = `${verb} ${url.replace(/:(\w+)/g, '{$1}')}`;
      if (!isDescribed(name, descriptions)) {
        throw new Error(`${name} must be described for the OpenAPI document`);
      }
      routes.push({ name, scope: scopeOf(config) });
    }
  });
  return routes;
}

function isDescribed(name: string, descriptions: RouteDescriptions): name is RouteName {
  return Object.hasOwn(descriptions, name);
}

function scopeOf(config: object | undefined): string | undefined {
  if (config === undefined || !('scope' in config)) return undefined;
  return typeof config.scope === 'string' ? config.scope : undefined;
}
