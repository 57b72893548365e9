// @ts-check
// Ends a test run that stands still, and names what stood. A loop without an end keeps a worker so busy
// that no timeout of the test runner fires in it; without this it would last until whoever runs the
// tests gives up, and tell nothing.
import { readdirSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';

/** Longer than every timeout in vitest.config.ts. */
const LIMIT_MS = 600_000;

/** @typedef {import('vitest/node').TestModule} TestModule */
/** @typedef {import('vitest/node').TestCase} TestCase */

/**
 * A plugin of vitest that adds a `StuckTestReporter` to the reporters that there are: nothing else of
 * the output changes. One may be given to many projects.
 *
 * @param {{ readonly limitMs?: number }} [options]
 * @returns {import('vitest/config').Plugin}
 */
export function stuckTestGuard(options) {
  const reporter = new StuckTestReporter(options);
  return {
    name: 'stuck-test-guard',
    configureVitest({ vitest }) {
      const { reporters } = vitest.config;
      if (!reporters.includes(reporter)) reporters.push(reporter);
    },
  };
}

/**
 * Silent until, in a run, no module and no test begins or ends for `limitMs`, 10 minutes by default:
 * then it tells which were running on stderr, kills the workers with all that they started, and ends
 * the process with 1. Linux alone: it finds them in `/proc`.
 */
export class StuckTestReporter {
  #limitMs;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  /** By id: another object stands for a module once it was loaded. @type {Map<string, TestModule>} */
  #modules = new Map();
  /** @type {Set<TestCase>} */
  #tests = new Set();

  /** @param {{ readonly limitMs?: number }} [options] */
  constructor({ limitMs = LIMIT_MS } = {}) {
    this.#limitMs = limitMs;
  }

  /** @param {TestModule} module */
  onTestModuleQueued(module) {
    this.#modules.set(module.id, module);
    this.#alive();
  }

  /** @param {TestModule} module */
  onTestModuleCollected(module) {
    this.#modules.set(module.id, module);
    this.#alive();
  }

  /** @param {TestModule} module */
  onTestModuleEnd(module) {
    this.#modules.delete(module.id);
    this.#alive();
  }

  /** @param {TestCase} test */
  onTestCaseReady(test) {
    this.#tests.add(test);
    this.#alive();
  }

  /** @param {TestCase} test */
  onTestCaseResult(test) {
    this.#tests.delete(test);
    this.#alive();
  }

  onHookStart() {
    this.#alive();
  }

  onHookEnd() {
    this.#alive();
  }

  onTestRunEnd() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#modules.clear();
    this.#tests.clear();
  }

  #alive() {
    this.#timer ??= setTimeout(() => this.#end(), this.#limitMs).unref();
    this.#timer.refresh();
  }

  #end() {
    const seconds = Math.round(this.#limitMs / 1000);
    const names = Array.from(this.#modules.values()).flatMap((module) => this.#namesOf(module));
    const text = `\nearshot: no test began or ended for ${seconds} s [tests_stuck]; running, as far as was told:\n`;
    // At once, whatever becomes of the process: the reporter of a terminal buffers what is written.
    writeSync(2, `${text}${names.map((name) => `  ${name}\n`).join('')}`);
    for (const pid of descendantsOf(process.pid)) kill(pid);
    process.exit(1);
  }

  /**
   * @param {TestModule} module
   * @returns {string[]} a line for each of its tests that runs
   */
  #namesOf(module) {
    const file = path.relative('.', module.moduleId);
    const running = [...this.#tests].filter((test) => test.module.id === module.id);
    // Workers tell of tests ten times a second, and not while they loop: it may be one soon after.
    const next = Array.from(module.children.allTests('pending')).slice(0, 1);
    const tests = running.length > 0 ? running : next;
    return tests.length > 0 ? tests.map((test) => `${file} > ${test.fullName}`) : [file];
  }
}

/**
 * @param {number} ancestor
 * @returns {number[]} process ids; parents before their children
 */
function descendantsOf(ancestor) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const parent = Number.isInteger(pid) ? parentOf(pid) : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [ancestor];
  // The list grows while it is read; a process has one parent, so none comes twice.
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found.slice(1);
}

/**
 * @param {number} pid
 * @returns {number | undefined} undefined when it is gone
 */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before may hold anything, in brackets.
    return Number(stat.slice(stat.lastIndexOf(')') + 1).split(' ')[2]);
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
