import type { InstanceUsage } from '../../hosts/model-host.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { InstanceReading } from './record-usage.js';

/** Usage with the namespace it is shown in; that of an instance which is out of sight is its host. */
export function toReading(
  { host, instances }: Pick<ActivityDependencies, 'host' | 'instances'>,
  usage: InstanceUsage,
): InstanceReading {
  return { ...usage, namespace: instances.see(usage.instanceId)?.pod.namespace ?? host.kind };
}
