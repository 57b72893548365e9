import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from '@earshot/redis-server';
import { ClusterNode } from './cluster-node.js';

export interface TestClusterOptions {
  /** @defaultValue 3 */
  readonly masters?: number;
  /** Of each master: 0 or 1. @defaultValue 0 */
  readonly replicas?: 0 | 1;
  /**
   * A node that does not answer for so long is taken for dead, ms: short where a test kills one, and
   * long where none is to be taken for dead on a busy machine. @defaultValue 15 000
   */
  readonly nodeTimeoutMs?: number;
  /** Keeps data over `kill` and `restart` of a node. @defaultValue false */
  readonly persistent?: boolean;
}

/** A private Redis Cluster of one test file. */
export interface TestCluster {
  /** `redis+cluster://…` with the addresses of all nodes. */
  readonly url: string;
  /** Those that began as masters, each with an equal share of the slots, in order. */
  readonly masters: readonly ClusterNode[];
  /** The replica of each master; empty without replicas. */
  readonly replicas: readonly ClusterNode[];
  /** The node that has a key's slot now, as told by a node that runs. */
  ownerOf(key: string): Promise<ClusterNode>;
  /** Resolves when the nodes that run agree that all slots are served. */
  untilServing(): Promise<void>;
  /** Stops all and removes their files; idempotent. */
  close(): Promise<void>;
}

const SLOTS = 16_384;
const POLL_MS = 20;
/** While they find each other: nodes ask each other twice in this time. */
const JOIN_TIMEOUT_MS = 1_000;

/** Starts a cluster on ports of 127.0.0.1; call `close` at the end. */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { masters: masterCount = 3, replicas = 0, nodeTimeoutMs = 15_000 } = options;
  const folder = await mkdtemp(path.join(os.tmpdir(), 'esc-'));
  const program = await findProgram({ env: process.env, onProgress: () => {} });
  const nodes: ClusterNode[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (let i = 0; i < masterCount * (1 + replicas); i += 1) {
      nodes.push(
        await ClusterNode.start({
          program,
          folder: path.join(folder, String(i)),
          nodeTimeoutMs: JOIN_TIMEOUT_MS,
          persistent: options.persistent ?? false,
        }),
      );
    }
    await join(nodes, masterCount);
    await Promise.all(nodes.map((node) => node.setNodeTimeout(nodeTimeoutMs)));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: `redis+cluster://${nodes.map(({ address }) => address).join(',')}`,
    masters: nodes.slice(0, masterCount),
    replicas: nodes.slice(masterCount),
    ownerOf: (key) => ownerOf(nodes, key),
    untilServing: () => untilServing(nodes),
    close,
  };
}

async function join(nodes: readonly ClusterNode[], masterCount: number): Promise<void> {
  const [first] = nodes;
  const masters = nodes.slice(0, masterCount);
  for (const node of nodes) {
    if (first !== undefined && node !== first) await node.meet(first);
  }
  for (const [index, master] of masters.entries()) {
    const from = Math.ceil((index * SLOTS) / masterCount);
    const to = Math.ceil(((index + 1) * SLOTS) / masterCount) - 1;
    const slots = Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
    await master.ask('CLUSTER', 'ADDSLOTS', ...slots);
  }
  await untilServing(nodes);
  for (const [index, replica] of nodes.slice(masterCount).entries()) {
    await replica.ask('CLUSTER', 'REPLICATE', String(await masters[index]?.ask('CLUSTER', 'MYID')));
  }
  for (const replica of nodes.slice(masterCount)) {
    while (!/master_link_status:up/.test(String(await replica.ask('INFO', 'replication')))) {
      await sleep(POLL_MS);
    }
  }
  await untilServing(nodes);
}

async function untilServing(nodes: readonly ClusterNode[]): Promise<void> {
  for (const node of nodes.filter(({ isRunning }) => isRunning)) {
    while (node.isRunning && !(await isServing(node, nodes.length))) await sleep(POLL_MS);
  }
}

async function isServing(node: ClusterNode, nodeCount: number): Promise<boolean> {
  const info = String(await node.ask('CLUSTER', 'INFO').catch(() => ''));
  return (
    info.includes('cluster_state:ok') &&
    info.includes(`cluster_slots_ok:${SLOTS}`) &&
    info.includes(`cluster_known_nodes:${nodeCount}`)
  );
}

async function ownerOf(nodes: readonly ClusterNode[], key: string): Promise<ClusterNode> {
  const running = nodes.find(({ isRunning }) => isRunning);
  const slot = Number(await running?.ask('CLUSTER', 'KEYSLOT', key));
  const ranges = await running?.ask('CLUSTER', 'SLOTS');
  for (const range of Array.isArray(ranges) ? ranges : []) {
    if (slot < range[0] || slot > range[1]) continue;
    const owner = nodes.find(({ port }) => port === range[2][1]);
    if (owner !== undefined) return owner;
  }
  throw new Error(`slot ${slot} must have a node`);
}
