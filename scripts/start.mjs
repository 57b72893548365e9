// @ts-check
// `npm start` is the CLI's `start` command.
process.argv.splice(2, 0, 'start');
await import('./earshot.mjs');
