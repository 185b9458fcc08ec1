/** The part of WebAssembly this folder uses; the compiler knows it only together with a browser's other globals. */
declare namespace WebAssembly {
  type Exports = Record<string, unknown>;
  type Imports = Record<string, Record<string, unknown>>;

  class Module {}

  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Exports;
  }

  class Memory {
    readonly buffer: ArrayBuffer;
  }

  class RuntimeError extends Error {}

  class Exception {}

  function compile(bytes: Uint8Array): Promise<Module>;
}
