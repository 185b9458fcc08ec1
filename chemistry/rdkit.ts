import type { MainModule, Mol } from '@rdkit/rdkit';
import {
  findTextFault,
  hasExtension,
  moleculeLimits,
  toMoleculeText,
  type MoleculeFault,
  type MoleculeLimits,
} from './molecule-text.js';
import { compileRdkit, RdkitInstance } from './rdkit-instance.js';

/** A molecule as RDKit read it; valid only inside the function it was given to. */
export interface ReadMolecule {
  readonly mol: Mol;
  readonly rdkit: MainModule;
  /** Canonical SMILES; with the extension if the text had one, because it can change what the molecule is. */
  readonly canonicalSmiles: string;
}

export type Reading<Value> =
  | { readonly valid: true; readonly value: Value }
  | { readonly valid: false; readonly because: MoleculeFault };

/** Exceptions that leave WebAssembly: after each of them the instance's stack pointer or memory is undefined. */
function isRdkitFault(error: unknown): boolean {
  return (
    error instanceof WebAssembly.RuntimeError ||
    error instanceof RangeError ||
    error instanceof WebAssembly.Exception
  );
}

function readWith<Value>(
  instance: RdkitInstance,
  text: string,
  use: (molecule: ReadMolecule) => Value,
): Reading<Value> {
  const mol = instance.module.get_mol(text);
  if (!mol) return { valid: false, because: 'not a SMILES' };
  try {
    if (mol.get_num_atoms() === 0) return { valid: false, because: 'no atoms' };
    const canonicalSmiles = hasExtension(text) ? mol.get_cxsmiles() : mol.get_smiles();
    return { valid: true, value: use({ mol, rdkit: instance.module, canonicalSmiles }) };
  } finally {
    if (instance.isIntact()) mol.delete();
  }
}

/**
 * RDKit for one thread. A text is a valid molecule when it is within `moleculeLimits`, RDKit can read it, it has an
 * atom and RDKit can write its canonical form. A molecule that breaks RDKit costs itself only: the instance is
 * replaced (8 ms) and the molecule tried once more, in case an earlier one had done the harm.
 */
export class Rdkit {
  #instance: RdkitInstance | null;

  private constructor(
    private readonly compiled: WebAssembly.Module,
    private readonly limits: MoleculeLimits,
    instance: RdkitInstance,
  ) {
    this.#instance = instance;
  }

  /** Loads RDKit into this thread: 0.1 s, 60 MB. */
  static async load(limits: MoleculeLimits = moleculeLimits): Promise<Rdkit> {
    const compiled = await compileRdkit();
    return new Rdkit(compiled, limits, await RdkitInstance.create(compiled));
  }

  /**
   * Reads one text and lets `use` take from the molecule what it needs. May take for ever on a trap: run it where
   * it can be ended.
   * @throws whatever `use` throws that is not RDKit's own fault.
   */
  async read<Value>(text: string, use: (molecule: ReadMolecule) => Value): Promise<Reading<Value>> {
    const fault = findTextFault(text, this.limits);
    if (fault) return { valid: false, because: fault };
    const moleculeText = toMoleculeText(text);
    return (
      (await this.#tryRead(moleculeText, use)) ??
      (await this.#tryRead(moleculeText, use)) ?? { valid: false, because: 'RDKit failed on it' }
    );
  }

  /** RDKit's own version, e.g. `2026.09.1`; part of what results depend on. */
  async version(): Promise<string> {
    return (await this.#current()).module.version();
  }

  /** Null when RDKit broke; its instance is gone then. */
  async #tryRead<Value>(
    text: string,
    use: (molecule: ReadMolecule) => Value,
  ): Promise<Reading<Value> | null> {
    const instance = await this.#current();
    try {
      const reading = readWith(instance, text, use);
      const intact = instance.isIntact();
      if (!intact || instance.isTooLarge()) this.#instance = null;
      return intact ? reading : null;
    } catch (error) {
      const broken = isRdkitFault(error) || !instance.isIntact();
      if (!broken) throw error;
      this.#instance = null;
      return null;
    }
  }

  async #current(): Promise<RdkitInstance> {
    this.#instance ??= await RdkitInstance.create(this.compiled);
    return this.#instance;
  }
}
