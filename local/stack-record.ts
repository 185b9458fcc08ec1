import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** Grows when the data directory's layout changes so that an older or newer hub could not use it. */
const layoutVersion = 1;

export const privatePorts = ['postgres', 'temporal', 'temporalUi', 'temporalHttp'] as const;
export type PrivatePort = (typeof privatePorts)[number];

const stackRecord = z.object({
  layout: z.literal(layoutVersion),
  postgresPassword: z.string().min(1),
  /** Chosen free at the first start and used again while they are. */
  ports: z.partialRecord(z.enum(privatePorts), z.number().int()),
  /** The hub's own address, for tools that look for it. */
  url: z.string().nullable(),
  /** Running processes by name; empty when the hub is stopped. */
  processes: z.record(z.string(), z.number().int()),
});

/** What the data directory says of its hub, in `stack.json`. */
export type StackRecord = z.infer<typeof stackRecord>;

/**
 * Reads the record, or makes the first one of an empty directory.
 * @throws Error when the directory belongs to another version, or its record was lost or damaged.
 */
export function readStackRecord(directory: string): StackRecord {
  const path = recordPath(directory);
  if (!existsSync(path)) return firstRecord(directory, path);
  const content = parseJson(path);
  const version = z.object({ layout: z.number() }).safeParse(content);
  if (version.success && version.data.layout !== layoutVersion) {
    throw new Error(
      `${directory} belongs to another version of the hub (layout ${version.data.layout}, this one has ` +
        `${layoutVersion}): start that version, or give another HUB_DATA_DIR`,
    );
  }
  const record = stackRecord.safeParse(content);
  if (record.success) return record.data;
  throw new Error(`${path} is damaged (${z.prettifyError(record.error)}): restore it from a backup`);
}

/** Writes the record so that a reader sees the old one or the new one, never a part. */
export function writeStackRecord(directory: string, record: StackRecord): void {
  const path = recordPath(directory);
  writeFileSync(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

const recordPath = (directory: string) => join(directory, 'stack.json');

function firstRecord(directory: string, path: string): StackRecord {
  if (existsSync(join(directory, 'postgres'))) {
    throw new Error(
      `${path} is missing, and with it the password of the database beside it: restore it from a backup, or give ` +
        'another HUB_DATA_DIR',
    );
  }
  const postgresPassword = randomBytes(18).toString('hex');
  return { layout: layoutVersion, postgresPassword, ports: {}, url: null, processes: {} };
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Error(`${path} is damaged: restore it from a backup`, { cause });
  }
}
