import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { MainModule } from '@rdkit/rdkit';

const require = createRequire(import.meta.url);

/** What the build writes at the end of its stack at start; a word that changed means the stack ran over. */
const stackCookie = Buffer.from('67541302fecdba89', 'hex');

/** Instances that grew beyond this are replaced: WebAssembly memory never shrinks. */
const memoryCeilingBytes = 160 * 1024 * 1024;

type InitRdkit = (options: {
  print: (line: string) => void;
  printErr: (line: string) => void;
  instantiateWasm: (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ) => WebAssembly.Exports;
}) => Promise<MainModule>;

/** RDKit's own log lines name inputs (which may be confidential) and only repeat what a null molecule says. */
const dropLogLine = (): void => undefined;

/** One RDKit with its memory. After any exception that left it, or an overrun stack, it must not be used again. */
export class RdkitInstance {
  readonly #memory: WebAssembly.Memory;
  readonly #cookieAt: number;

  private constructor(
    readonly module: MainModule,
    memory: WebAssembly.Memory,
  ) {
    this.#memory = memory;
    this.#cookieAt = Buffer.from(memory.buffer).indexOf(stackCookie);
    if (this.#cookieAt < 0)
      throw new Error(
        'this build of RDKit has no stack guard where it was looked for, so an overrun could not be seen; ' +
          'use @rdkit/rdkit 2026.9.1 or adapt chemistry/rdkit-instance.ts',
      );
  }

  /** Makes an instance from the compiled module in about 8 ms. */
  static async create(compiled: WebAssembly.Module): Promise<RdkitInstance> {
    const init = require('@rdkit/rdkit') as InitRdkit;
    let memory: WebAssembly.Memory | undefined;
    const module = await init({
      print: dropLogLine,
      printErr: dropLogLine,
      instantiateWasm: (imports, done) => {
        const instance = new WebAssembly.Instance(compiled, imports);
        memory = Object.values(instance.exports).find((value) => value instanceof WebAssembly.Memory);
        done(instance);
        return instance.exports;
      },
    });
    if (!memory) throw new Error('RDKit did not export its memory; use @rdkit/rdkit 2026.9.1');
    return new RdkitInstance(module, memory);
  }

  /** False when its stack ran over its end: what it says since then can't be trusted. */
  isIntact(): boolean {
    return Buffer.from(this.#memory.buffer, this.#cookieAt, stackCookie.length).equals(stackCookie);
  }

  /** True when it holds more memory than a molecule within the limits ever needs. */
  isTooLarge(): boolean {
    return this.#memory.buffer.byteLength > memoryCeilingBytes;
  }
}

/** Compiles RDKit once per thread (about 35 ms); instances are then cheap. */
export function compileRdkit(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(readFileSync(require.resolve('@rdkit/rdkit/RDKit_minimal.wasm')));
}
