import type { V1Container, V1PodSecurityContext, V1SecurityContext } from '@kubernetes/client-node';
import type { FieldsOf } from './fields-of.js';

/** Ports below need a privilege that restricted pods do not have, unless the kernel is told otherwise. */
const FIRST_UNPRIVILEGED_PORT = 1024;
const PORT_START = 'net.ipv4.ip_unprivileged_port_start';

/** What the restricted level of Pod Security asks of a pod, where the template leaves it open. */
export function securePod(
  template: FieldsOf<V1PodSecurityContext> | undefined,
  port: number,
): V1PodSecurityContext {
  const given = template?.sysctls ?? [];
  const isOpen = port < FIRST_UNPRIVILEGED_PORT && given.every(({ name }) => name !== PORT_START);
  return {
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
    ...template,
    ...(isOpen ? { sysctls: [...given, { name: PORT_START, value: String(port) }] } : {}),
  };
}

/** What the restricted level asks of a container, where it leaves it open. */
export function secureContainer(container: FieldsOf<V1Container>): V1Container {
  const given: FieldsOf<V1SecurityContext> | undefined = container.securityContext;
  return {
    ...container,
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, ...given },
  };
}
