import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { repositoryRoot } from '../local/repository.js';
import { type RunningStack, startStack } from '../test/support/stack.js';
import { modelServersOf, processesLeftOf } from './left-over.js';

/** A model server of `test/support/bad-models`, with the row that makes the hub know it. */
export interface TestModel {
  readonly id: string;
  /** Variables of `bad-model.mjs`, MODE among them. */
  readonly env: Readonly<Record<string, string>>;
  readonly executionMode?: 'SYNC' | 'ASYNC';
  readonly memoryLimitMebibytes?: number;
  readonly maxInstances?: number;
}

/** One call that a test model answered: which process computed which rows. */
export interface ModelCall {
  readonly pid: number;
  /** When the call came, epoch ms. */
  readonly at: number;
  readonly rows: readonly string[];
}

/** A hub of a proof's own, with test models. */
export interface ProofHub {
  readonly stack: RunningStack;
  /** Asks the hub's database over a connection of its own, so that it works again as soon as Postgres does. */
  readonly rows: <Row extends object>(sql: string, params?: readonly unknown[]) => Promise<Row[]>;
  /** Every call that test models finished so far. */
  calls(modelId: string): ModelCall[];
  /** What still runs at the model host, in words: a process id, or the name of a pod. */
  servers(): Promise<readonly string[]>;
  /** Stops the hub. @returns its processes that are still alive */
  stop(): Promise<readonly number[]>;
}

/** Where instances run instead of on this machine's local host. */
export interface ProofHost {
  /** Variables by which the hub finds it. */
  readonly environment: Readonly<Record<string, string>>;
  servers(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface ProofHubOptions {
  readonly models: readonly TestModel[];
  /** Starts another model host for the hub; it is given the start commands of the test models, a file. */
  readonly startHost?: (modelCommands: string) => Promise<ProofHost>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Every model's, seconds; short, so that a proof can wait for the end of all instances. */
  readonly warmSeconds?: number;
}

/**
 * Starts a whole hub in a temporary folder, gives it the test models and shortens all idle times. When HUB_PROVE_LOG
 * names a file, it gets at the end what the hub printed: the first thing to read when a claim does not hold.
 */
export async function startProofHub(options: ProofHubOptions): Promise<ProofHub> {
  const folder = mkdtempSync(join(tmpdir(), 'hub-prove-'));
  const callLog = (modelId: string) => join(folder, `${modelId}.calls`);
  const models = join(folder, 'models.json');
  writeFileSync(models, JSON.stringify(commandsOf(options.models, callLog)));
  const host = await options.startHost?.(models);
  const environment = { ...options.environment, ...host?.environment, HUB_LOCAL_MODELS: models };
  const stack = await startStack({ dataDir: join(folder, 'hub'), environment }).catch(async (error) => {
    await host?.stop();
    throw error;
  });
  const hub: ProofHub = {
    stack,
    rows: (sql, params = []) => query(stack.databaseUrl, sql, params),
    calls: (modelId) => readCalls(callLog(modelId)),
    servers: () => host?.servers() ?? localServers(stack),
    async stop() {
      await stack.stop();
      await host?.stop();
      if (process.env.HUB_PROVE_LOG) writeFileSync(process.env.HUB_PROVE_LOG, stack.output);
      const left = await processesLeftOf(folder);
      rmSync(folder, { recursive: true, force: true });
      return left;
    },
  };
  try {
    for (const model of options.models) await insertModel(hub, model);
    await hub.rows('update model set warm_seconds = $1', [options.warmSeconds ?? 5]);
  } catch (error) {
    await hub.stop();
    throw error;
  }
  return hub;
}

async function localServers({ processes }: RunningStack): Promise<readonly string[]> {
  return modelServersOf(processes['local-host'] ?? -1).map(String);
}

function commandsOf(models: readonly TestModel[], callLog: (modelId: string) => string) {
  const program = join(repositoryRoot(), 'test', 'support', 'bad-models', 'bad-model.mjs');
  return Object.fromEntries(
    models.map(({ id, env }) => [
      id,
      { command: ['node', program], env: { MODEL_ID: id, CALL_LOG: callLog(id), ...env } },
    ]),
  );
}

async function insertModel(hub: ProofHub, model: TestModel): Promise<void> {
  const columns = [
    { name: 'length', type: 'integer', unit: null, description: 'Characters of the input.' },
    { name: 'echo', type: 'text', unit: null, description: 'The input.' },
  ];
  await hub.rows(
    `insert into model (id, image, execution_mode, cpu_request_millicores, cpu_limit_millicores,
       memory_request_mebibytes, memory_limit_mebibytes, max_instances, columns)
     values ($1, $1, $2, 100, 1000, least(128, $3::integer), $3, $4, $5::jsonb)`,
    [
      model.id,
      model.executionMode ?? 'SYNC',
      model.memoryLimitMebibytes ?? 512,
      model.maxInstances ?? -1,
      JSON.stringify(columns),
    ],
  );
}

async function query<Row extends object>(
  url: string,
  sql: string,
  params: readonly unknown[],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  // A connection cut while idle is told here and nowhere else; the query's own failure is what matters.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Row>(sql, [...params])).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function readCalls(path: string): ModelCall[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter(Boolean).map((line) => JSON.parse(line) as ModelCall);
}
