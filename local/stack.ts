import { mkdirSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { ModelCommands } from '../hosts/local/model-commands.js';
import { createFirstAdmin, type NewAccount } from './first-admin.js';
import { lockDataDirectory } from './data-directory-lock.js';
import type { LocalSettings } from './local.config.js';
import { choosePorts, isPortFree } from './ports.js';
import { createDatabase } from './postgres.js';
import { runSteps, type Step } from './run-steps.js';
import { runToEnd } from './run-to-end.js';
import { nodeChild, nodeLaunch, postgresChild, temporalChild } from './stack-children.js';
import { stackPlaces, type StackPlaces } from './stack-places.js';
import { privatePorts, readStackRecord, type StackRecord, writeStackRecord } from './stack-record.js';
import type { ChildPlan } from './supervised-child.js';
import { Supervisor } from './supervisor.js';
import { getOutsidePart } from './tools/get-outside-part.js';
import { outsideParts } from './tools/parts.js';

/** What a start tells whoever waits for it. */
export interface StackReports {
  /** A step is done; at `ms` after the start. */
  step(name: string, said: string | undefined, ms: number): void;
  /** Something goes on that takes long. */
  progress(text: string): void;
  /** A line of a process's output. */
  line(process: string, text: string): void;
}

/** A whole hub on this machine. */
export interface Stack {
  /** Starts everything; resolves when all of it serves. */
  start(): Promise<void>;
  /** Stops everything in reverse order within 10 s; also a start that is under way. */
  stop(): Promise<void>;
  readonly places: StackPlaces;
  /** The first admin's account, if this start made it. */
  readonly firstAdmin: NewAccount | undefined;
}

/**
 * Takes the data directory and settles ports and places; nothing runs yet.
 * @param signal ends it early, also when it downloads a part
 * @throws Error of one sentence when the port is taken, the directory is in use or of another version, or a part is
 * missing.
 */
export async function prepareStack(
  settings: LocalSettings,
  reports: StackReports,
  signal: AbortSignal,
): Promise<Stack> {
  mkdirSync(settings.HUB_DATA_DIR, { recursive: true });
  const directory = realpathSync(settings.HUB_DATA_DIR);
  const unlock = lockDataDirectory(directory);
  try {
    const recorded = readStackRecord(directory);
    refuseUnusableModels(settings);
    await refuseTakenPort(settings);
    const tell = (text: string) => reports.progress(text);
    const temporalProgram = await getOutsidePart(outsideParts.temporal, process.env, tell, signal);
    const ports = await choosePorts(privatePorts, recorded.ports, [settings.PORT]);
    const places = stackPlaces(settings, directory, recorded, ports, temporalProgram);
    const record = { ...recorded, ports, url: places.url, processes: {} };
    writeStackRecord(directory, record);
    return assemble(settings, places, record, reports, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function assemble(
  settings: LocalSettings,
  places: StackPlaces,
  record: StackRecord,
  reports: StackReports,
  unlock: () => void,
): Stack {
  const startedAt = performance.now();
  const stopping = new AbortController();
  const write = (processes: StackRecord['processes']) =>
    writeStackRecord(places.dataDirectory, { ...record, processes });
  const supervisor = new Supervisor({ line: (name, text) => reports.line(name, text), processes: write });
  let firstAdmin: NewAccount | undefined;
  return {
    places,
    get firstAdmin() {
      return firstAdmin;
    },
    async start() {
      const steps = stackSteps(
        settings,
        places,
        supervisor,
        stopping.signal,
        (account) => (firstAdmin = account),
      );
      await runSteps(steps, (name, said) => reports.step(name, said, performance.now() - startedAt));
    },
    async stop() {
      stopping.abort(new Error('the hub is stopping'));
      await supervisor.stop();
      unlock();
    },
  };
}

/** Everything a start does, in order; steps that need nothing from each other overlap. It stops in reverse order. */
function stackSteps(
  settings: LocalSettings,
  places: StackPlaces,
  supervisor: Supervisor,
  stopping: AbortSignal,
  tellAdmin: (account: NewAccount) => void,
): Step[] {
  const { environment, postgres, temporal } = places;
  const keep = (plan: ChildPlan, said?: string) => async () => {
    await supervisor.start(plan);
    return said;
  };
  const migrate = async () => {
    await createDatabase(postgres, 'hub');
    return runToEnd(nodeLaunch('db/migrate.main.js', environment), stopping);
  };
  const ensureAdmin = async () => {
    const account = await createFirstAdmin(places.databaseUrl);
    if (account) tellAdmin(account);
    return account ? `user ${account.username} created` : 'exists';
  };
  const { HUB_SILENCE_SECONDS: silence } = settings;
  const localHost = nodeChild('local-host', 'hosts/local/host.main.js', environment, silence);
  const worker = nodeChild('worker', 'temporal/worker.main.js', environment, silence);
  const api = nodeChild('api', 'api/main.js', environment, silence);
  const postgresSaid = `127.0.0.1:${postgres.port}`;
  const temporalSaid = `127.0.0.1:${temporal.port}, UI ${places.temporalUiUrl}`;
  return [
    { name: 'Postgres', needs: [], run: keep(postgresChild(postgres, silence), postgresSaid) },
    { name: 'Temporal', needs: [], run: keep(temporalChild(temporal, silence), temporalSaid) },
    ...(settings.MODEL_HOST === 'local' ? [{ name: 'local host', needs: [], run: keep(localHost) }] : []),
    { name: 'migrations', needs: ['Postgres'], run: migrate },
    { name: 'first admin', needs: ['migrations'], run: ensureAdmin },
    { name: 'worker', needs: ['migrations', 'Temporal'], run: keep(worker) },
    { name: 'api', needs: ['migrations', 'Temporal'], run: keep(api, places.url) },
  ];
}

/** A command file that can't be read is told now, not by the first request that needs it. */
function refuseUnusableModels({ HUB_LOCAL_MODELS, MODEL_HOST }: LocalSettings): void {
  if (HUB_LOCAL_MODELS === '' || MODEL_HOST !== 'local') return;
  const faults = new ModelCommands(resolve(HUB_LOCAL_MODELS)).faults();
  if (faults.length === 0) return;
  throw new Error(
    `HUB_LOCAL_MODELS names what can't be used: ${faults.join('; ')}. It takes one JSON file, or a folder of them, that ` +
      'maps model ids to { "command": [...] }',
  );
}

async function refuseTakenPort({ PORT, HOST }: LocalSettings): Promise<void> {
  if (await isPortFree(PORT, HOST)) return;
  throw new Error(
    `port ${PORT} of ${HOST} is taken (or below 1024 and not allowed): stop what listens there, or give another PORT`,
  );
}
