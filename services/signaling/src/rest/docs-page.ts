import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.js';

/** Nothing from elsewhere, nothing inline but the styles that Swagger UI sets by itself. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SECURITY_HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Earshot API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** `validatorUrl` would send the document's address to swagger.io; keys are kept in memory only. */
const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  queryConfigEnabled: false,
  validatorUrl: null,
});
`;

interface Asset {
  readonly type: string;
  text(): Promise<string>;
}

/** Swagger UI's own files, as its package has them: nothing comes from a CDN. */
const ASSETS: Readonly<Record<string, Asset>> = {
  'swagger-ui-bundle.js': packaged('text/javascript', 'swagger-ui-bundle.js'),
  'swagger-ui.css': packaged('text/css', 'swagger-ui.css'),
  'start.js': { type: 'text/javascript', text: async () => START },
};

interface AssetParams {
  Params: { asset: string };
}

/** `/docs`: the API's document as a page that works without any other server. */
export function addDocsRoutes(app: FastifyInstance): void {
  app.get('/docs', (_request, reply) =>
    reply.headers(SECURITY_HEADERS).type('text/html; charset=utf-8').send(PAGE),
  );

  app.get<AssetParams>('/docs/:asset', async ({ params }, reply) => {
    const asset = Object.hasOwn(ASSETS, params.asset) ? ASSETS[params.asset] : undefined;
    if (asset === undefined) throw notFound();
    return reply
      .headers(SECURITY_HEADERS)
      .header('cache-control', 'public, max-age=3600')
      .type(`${asset.type}; charset=utf-8`)
      .send(await asset.text());
  });
}

/** Read once, when first asked for. */
function packaged(type: string, file: string): Asset {
  let text: Promise<string> | undefined;
  return {
    type,
    text() {
      const path = createRequire(import.meta.url).resolve(`swagger-ui-dist/${file}`);
      text ??= readFile(path, 'utf8');
      return text;
    },
  };
}

function notFound(): Problem {
  return new Problem({
    status: 404,
    code: 'route_not_found',
    title: 'No such resource',
    detail: 'Cannot find the file: it must be one that /docs names, got another',
  });
}
