import { unmadeContainer } from './life.js';

/** What a host says that an instance waits for: its own word, and a sentence where it has one. */
interface HostWait {
  readonly reason: string;
  readonly message: string | null;
}

/** Why an instance is not there yet, in the words of its host (its scheduler, its kubelet), for whoever waits for it. */
export function tellStart({ reason, message }: HostWait): string {
  const words = message?.trim();
  return `${beginningOf(reason)}${words ? `: ${words}` : ''}`.replace(/[^.!?]$/, '$&.');
}

function beginningOf(reason: string): string {
  if (reason === 'Unschedulable') return 'No node can take the instance yet';
  const unmade = Object.hasOwn(unmadeContainer, reason) && unmadeContainer[reason];
  return unmade ? `The instance can not start yet, ${unmade} (${reason})` : `The instance waits (${reason})`;
}
