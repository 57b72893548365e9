import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Program } from '@earshot/redis-server';
import { Redis } from 'ioredis';

export interface ClusterNodeOptions {
  readonly program: Program;
  readonly folder: string;
  readonly nodeTimeoutMs: number;
  readonly persistent: boolean;
}

const POLL_MS = 10;
const START_ATTEMPTS = 5;

/** One server of a cluster. */
export class ClusterNode {
  readonly port: number;
  readonly #busPort: number;
  readonly #options: ClusterNodeOptions;
  #nodeTimeoutMs: number;
  #child: ChildProcess | undefined;
  #client: Redis | undefined;

  private constructor(options: ClusterNodeOptions, port: number, busPort: number) {
    this.#options = options;
    this.#nodeTimeoutMs = options.nodeTimeoutMs;
    this.port = port;
    this.#busPort = busPort;
  }

  static async start(options: ClusterNodeOptions): Promise<ClusterNode> {
    await mkdir(options.folder, { recursive: true });
    for (let attempt = 1; ; attempt += 1) {
      const [port, busPort] = await freePorts();
      const node = new ClusterNode(options, port, busPort);
      try {
        await node.restart();
        return node;
      } catch (error) {
        // Between finding a port free and using it another process may have been faster.
        if (attempt === START_ATTEMPTS) throw error;
      }
    }
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** For signals such as SIGSTOP; 0 when it does not run. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Sends this node a command. */
  async ask(command: string, ...args: string[]): Promise<unknown> {
    if (this.#client === undefined) throw new Error('the node must run');
    return this.#client.call(command, ...args);
  }

  /** From now on, also after `restart`. */
  async setNodeTimeout(timeoutMs: number): Promise<void> {
    this.#nodeTimeoutMs = timeoutMs;
    await this.ask('CONFIG', 'SET', 'cluster-node-timeout', String(timeoutMs));
  }

  /** Makes the two know each other, and so all that either knows. */
  async meet(other: ClusterNode): Promise<void> {
    await this.ask('CLUSTER', 'MEET', '127.0.0.1', String(other.port), String(other.#busPort));
  }

  /** Ends it at once (SIGKILL), and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    this.#client?.disconnect();
    this.#client = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /**
   * As `kill`, once its replica has all that it answered: what it had not passed on would be lost with
   * it. What is written meanwhile waits.
   */
  async killInSync(): Promise<void> {
    await this.ask('CLIENT', 'PAUSE', '60000', 'WRITE');
    while (!isInSync(String(await this.ask('INFO', 'replication')))) await sleep(POLL_MS);
    await this.kill();
  }

  /** Starts it on the same ports, after `kill`; it knows the cluster from its own file. */
  async restart(): Promise<void> {
    const { program, folder } = this.#options;
    const child = spawn(program.file, this.#arguments(), {
      argv0: 'redis-server',
      cwd: folder,
      env: program.env,
      stdio: 'ignore',
    });
    const failed = new Promise<boolean>((resolve) => {
      child.once('error', () => resolve(true));
      child.once('exit', () => resolve(true));
    });
    const stopWithParent = () => child.kill('SIGKILL');
    process.once('exit', stopWithParent);
    void failed.then(() => process.removeListener('exit', stopWithParent));
    this.#child = child;
    const client = new Redis({ port: this.port, host: '127.0.0.1', retryStrategy: () => POLL_MS });
    client.on('error', () => {});
    this.#client = client;
    const answered = client.ping().then(
      () => false,
      () => true,
    );
    if (!(await Promise.race([failed, answered]))) return;
    await this.kill();
    await sleep(POLL_MS);
    throw new Error('a node of the cluster must start');
  }

  #arguments(): string[] {
    const settings: Record<string, string> = {
      port: String(this.port),
      bind: '127.0.0.1',
      dir: this.#options.folder,
      save: '',
      appendonly: this.#options.persistent ? 'yes' : 'no',
      'maxmemory-policy': 'noeviction',
      'cluster-enabled': 'yes',
      'cluster-port': String(this.#busPort),
      'cluster-node-timeout': String(this.#nodeTimeoutMs),
      // A replica takes over at once, however long its link was down.
      'cluster-replica-validity-factor': '0',
      'repl-diskless-sync-delay': '0',
    };
    return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  }
}

/** @param info what Redis says of its replication */
function isInSync(info: string): boolean {
  const [, own] = /^master_repl_offset:(\d+)/m.exec(info) ?? [];
  const [, replicated] = /^slave0:.*\boffset=(\d+)/m.exec(info) ?? [];
  return own !== undefined && own === replicated;
}

/** Two ports that nobody listens on now. */
async function freePorts(): Promise<[number, number]> {
  const servers = await Promise.all([listen(), listen()]);
  const [port = 0, busPort = 0] = servers.map((server) => portOf(server.address()));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return [port, busPort];
}

async function listen() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
