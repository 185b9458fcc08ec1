import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { InstanceRefusedError } from '../model-host.js';

/** How a model's server is started on this machine. */
export interface ModelCommand {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

const commandFileSchema = z.record(
  z.string(),
  z.object({
    command: z.tuple([z.string().min(1)], z.string()),
    env: z.record(z.string(), z.string()).optional(),
  }),
);

interface CommandFile {
  readonly stamp: string;
  readonly commands: ReadonlyMap<string, ModelCommand>;
  /** Why the file could not be used; its models are then unknown, those of other files are not. */
  readonly fault: string | null;
}

/** Knows the start command of every local model; looks at the files again whenever they changed. */
export class ModelCommands {
  readonly #paths: readonly string[];
  #files = new Map<string, CommandFile>();

  /** @param paths colon-separated JSON files or folders of them, as in the setting LOCAL_MODEL_COMMANDS */
  constructor(paths: string) {
    this.#paths = paths.split(':').filter((path) => path !== '');
  }

  /** Looks at every file and says which can not be used, and why; [] when all can. */
  faults(): readonly string[] {
    return this.#refresh();
  }

  /** @throws InstanceRefusedError when no file names the model: says what to write and where to name it. */
  get(modelId: string): ModelCommand {
    const faults = this.#refresh();
    const found = [...this.#files.values()].map((file) => file.commands.get(modelId)).findLast(Boolean);
    if (found) return found;
    const unread = faults.length > 0 ? ` These were not read: ${faults.join('; ')}.` : '';
    throw new InstanceRefusedError(
      `model "${modelId}" has no start command on this machine: write "${modelId}": { "command": ["node", "./server.js"] } ` +
        `into a JSON file of your own and name that file in HUB_LOCAL_MODELS (looked in ${this.#paths.join(' and ')}).${unread}`,
    );
  }

  /** Brings the known commands up to date and says which files could not be read. */
  #refresh(): string[] {
    const faults: string[] = [];
    const files = new Map<string, CommandFile>();
    for (const path of this.#paths.flatMap((given) => jsonFilesAt(given, faults))) {
      const file = readCommandFile(path, this.#files.get(path));
      if (file.fault !== null) faults.push(`${path} (${file.fault})`);
      files.set(path, file);
    }
    this.#files = files;
    return faults;
  }
}

function jsonFilesAt(path: string, faults: string[]): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => name.endsWith('.json'));
    return names.sort().map((name) => join(path, name));
  } catch (error) {
    faults.push(`${path} (${messageOf(error)})`);
    return [];
  }
}

function readCommandFile(path: string, known: CommandFile | undefined): CommandFile {
  let stamp = '';
  try {
    const { mtimeMs, size, ino } = statSync(path);
    stamp = `${mtimeMs} ${size} ${ino}`;
    if (known?.stamp === stamp) return known;
    const parsed = commandFileSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    if (!parsed.success) return { stamp, commands: new Map(), fault: z.prettifyError(parsed.error) };
    const folder = dirname(resolve(path));
    const commands = Object.entries(parsed.data).map(
      ([modelId, { command, env }]) => [modelId, resolveCommand(command, env ?? {}, folder)] as const,
    );
    return { stamp, commands: new Map(commands), fault: null };
  } catch (error) {
    return { stamp, commands: new Map(), fault: messageOf(error) };
  }
}

/** `node` is the Node that runs the hub; what begins with `./` or `../` is seen from the file's folder. */
function resolveCommand(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
  folder: string,
): ModelCommand {
  const [program, ...parameters] = command.map((part) =>
    /^\.{1,2}\//.test(part) ? resolve(folder, part) : part,
  );
  const executable = program === 'node' ? process.execPath : (program ?? command[0]);
  return { command: [executable, ...parameters], env };
}

function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : String(error);
}
