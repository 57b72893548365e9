import type { RouteScopes } from './scopes.js';

type Json = Readonly<Record<string, unknown>>;

/**
 * The OpenAPI document with the scope that each operation wants, as its routes say: in `security`,
 * where OpenAPI 3.1 has roles, and for people in `x-required-scope`.
 */
export function withScopes(document: Json, scopes: RouteScopes): Json {
  const paths = Object.entries(objectOf(document['paths'])).map(([path, item]) => {
    const url = path.replace(/\{(\w+)\}/g, ':$1');
    const operations = Object.entries(objectOf(item)).map(([method, operation]) => {
      const scope = scopes.get(`${method.toUpperCase()} ${url}`);
      if (scope === undefined) return [method, operation];
      const wanted = { security: [{ apiKey: [scope] }], 'x-required-scope': scope };
      return [method, { ...objectOf(operation), ...wanted }];
    });
    return [path, Object.fromEntries(operations)];
  });
  return { ...document, paths: Object.fromEntries(paths) };
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
