import { z } from 'zod';

/** Answer of actions that give nothing back. */
export const StatusOk = z.object({ status: z.literal('ok') }).meta({ id: 'StatusOk' });

export const UserPermissions = z
  .object({ userid: z.string(), permissions: z.array(z.string()), last_updated: z.string().nullable() })
  .meta({ id: 'UserPermissions' });
