import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LocalSettings } from './local.config.js';
import { databaseUrl, defaultPostgresUsers, type PostgresCluster } from './postgres.js';
import { repositoryRoot } from './repository.js';
import type { PrivatePort, StackRecord } from './stack-record.js';
import { temporalNamespace, type TemporalServer } from './temporal-server.js';

/** Everything about one hub of this machine that is settled before its first process starts. */
export interface StackPlaces {
  readonly dataDirectory: string;
  readonly url: string;
  readonly databaseUrl: string;
  readonly temporalUiUrl: string;
  readonly postgres: PostgresCluster;
  readonly temporal: TemporalServer;
  /** What every node child is given besides our own environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Where a hub's processes keep their files and find each other. */
export function stackPlaces(
  settings: LocalSettings,
  dataDirectory: string,
  record: StackRecord,
  ports: Readonly<Record<PrivatePort, number>>,
  temporalProgram: string,
): StackPlaces {
  const postgres: PostgresCluster = {
    dataDirectory: join(dataDirectory, 'postgres'),
    port: ports.postgres,
    password: record.postgresPassword,
    users: settings.HUB_POSTGRES_USER ? [settings.HUB_POSTGRES_USER] : defaultPostgresUsers,
  };
  const temporalDirectory = join(dataDirectory, 'temporal');
  const temporal: TemporalServer = {
    program: temporalProgram,
    directory: temporalDirectory,
    databaseFile: join(temporalDirectory, 'temporal.db'),
    port: ports.temporal,
    uiPort: ports.temporalUi,
    httpPort: ports.temporalHttp,
  };
  const places = {
    dataDirectory,
    url: `http://${reachableHost(settings.HOST)}:${settings.PORT}`,
    databaseUrl: databaseUrl(postgres, 'hub'),
    temporalUiUrl: `http://127.0.0.1:${ports.temporalUi}`,
    postgres,
    temporal,
  };
  return { ...places, environment: childEnvironment(settings, places) };
}

function childEnvironment(
  settings: LocalSettings,
  places: Omit<StackPlaces, 'environment'>,
): Record<string, string> {
  const models = [join(repositoryRoot(), 'local', 'models', 'models.json')];
  if (settings.HUB_LOCAL_MODELS) models.push(resolve(settings.HUB_LOCAL_MODELS));
  return {
    PORT: String(settings.PORT),
    HOST: settings.HOST,
    HUB_DATA_DIR: places.dataDirectory,
    DATABASE_URL: places.databaseUrl,
    TEMPORAL_ADDRESS: `127.0.0.1:${places.temporal.port}`,
    TEMPORAL_NAMESPACE: temporalNamespace,
    TEMPORAL_UI_URL: places.temporalUiUrl,
    MODEL_HOST: settings.MODEL_HOST,
    LOCAL_HOST_SOCKET: socketPath(places.dataDirectory),
    LOCAL_MODEL_COMMANDS: models.join(':'),
  };
}

/** The kernel takes socket paths up to 107 characters; a deeper data directory gets its socket in the temporary one. */
const longestSocketPath = 100;

function socketPath(dataDirectory: string): string {
  const beside = join(dataDirectory, 'local-host.sock');
  if (Buffer.byteLength(beside) <= longestSocketPath) return beside;
  const name = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 16);
  const folder = join(tmpdir(), `hub-${process.getuid?.() ?? 0}-${name}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, 'local-host.sock');
}

/** Where a browser of this machine finds what is served on every address. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
