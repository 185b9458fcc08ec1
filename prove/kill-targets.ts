import { setTimeout as sleep } from 'node:timers/promises';
import { sendSignal } from '../hosts/local/proc-files.js';
import { descendantsOf, modelServersOf } from './left-over.js';
import type { ProofHub } from './proof-hub.js';

export const killTargets = ['worker', 'temporal', 'postgres', 'local-host', 'model server', 'api'] as const;
export type KillTarget = (typeof killTargets)[number];

/**
 * Ends a process as a crash would: the whole of Postgres now and then, of the model servers any one.
 * @returns epoch ms of the kill, or null when nothing of the kind runs within 5 s
 */
export async function kill(hub: ProofHub, target: KillTarget, random: () => number): Promise<number | null> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const pids = pidsOf(hub, target, random);
    if (pids.length > 0) {
      for (const pid of pids) sendSignal(pid, 'SIGKILL');
      return Date.now();
    }
    await sleep(50);
  }
  return null;
}

function pidsOf(hub: ProofHub, target: KillTarget, random: () => number): number[] {
  const { processes } = hub.stack;
  if (target === 'model server') {
    const servers = modelServersOf(processes['local-host'] ?? -1);
    return servers.length === 0 ? [] : [servers[Math.floor(random() * servers.length)]!];
  }
  const pid = processes[target];
  if (pid === undefined) return [];
  const withItsProcesses = target === 'postgres' && random() < 0.5;
  return withItsProcesses ? [pid, ...descendantsOf(pid)] : [pid];
}
