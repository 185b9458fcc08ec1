import type { InstanceSpec, ModelHost, ObservedInstance } from '../../hosts/model-host.js';
import type { RecordedWatch } from './record-watch.js';

/** How the server of a test instance behaves; the harness knows how its host brings that about. */
export type FixtureBehaviour = 'serves' | 'never-ready' | 'crashes' | 'too-large-for-any-node';

/** What a host's own test supplies: real instances, and ways to make things go wrong with them. */
export interface ModelHostHarness {
  readonly host: ModelHost;
  /** A client whose connection `whileUnreachable` cuts; `host` is not touched by it. */
  readonly fragileHost: ModelHost;
  /** A spec with a fresh instance id. `crashes` ends with exit code 3 and says why on its output. */
  spec(behaviour: FixtureBehaviour): InstanceSpec;
  /** Makes the server of a ready instance end with this code. */
  endServer(instance: ObservedInstance, exitCode: number): Promise<void>;
  /** Makes the server of a ready instance use more memory than its limit. */
  exhaustMemory(instance: ObservedInstance): Promise<void>;
  /** Makes the server of a ready instance print a line. */
  print(instance: ObservedInstance, line: string): Promise<void>;
  /** Makes the server of a ready instance answer nobody, as one that hangs. @returns how to let it go on */
  hang(instance: ObservedInstance): Promise<() => Promise<void>>;
  whileUnreachable(action: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** What the tests of the contract share. */
export interface ContractParts {
  readonly harness: ModelHostHarness;
  readonly host: ModelHost;
  readonly watch: RecordedWatch;
  readonly startReady: () => Promise<ObservedInstance>;
  readonly remove: (instance: ObservedInstance) => Promise<void>;
}
