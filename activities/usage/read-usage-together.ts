import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostUsage, ModelHost } from '../../hosts/model-host.js';

/** However many instances end at once, their host is asked no more often than this. */
const SPACING_MS = 1_000;

interface Line {
  beganMs: number;
  waiting: Promise<HostUsage> | null;
}

const lines = new WeakMap<ModelHost, Line>();

/** What the host tells of usage, from a read that begins after this call: one read serves all who wait for it. */
export function readUsageTogether(host: ModelHost): Promise<HostUsage> {
  let line = lines.get(host);
  if (!line) lines.set(host, (line = { beganMs: Number.NEGATIVE_INFINITY, waiting: null }));
  line.waiting ??= readNext(host, line);
  return line.waiting;
}

async function readNext(host: ModelHost, line: Line): Promise<HostUsage> {
  await sleep(Math.max(0, line.beganMs + SPACING_MS - performance.now()));
  line.waiting = null;
  line.beganMs = performance.now();
  return host.readUsage();
}
