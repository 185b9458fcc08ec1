import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Client } from '@temporalio/client';
import { recordAudit } from '../../db/queries/audit.js';
import { lockClaimsStatement } from '../../db/queries/claims.js';
import { markToEnd } from '../../db/queries/leases.js';
import type { Database, Sql } from '../../db/database.js';
import { createWorkflowGateway } from '../../temporal/workflow-gateway.js';
import type { SignedIn } from '../auth/signed-in.js';
import { Refusal } from '../http/refusal.js';
import { DATABASE, TEMPORAL } from '../records/tokens.js';
import type { InstanceAction } from './instances.dto.js';

/** The row is what ends the instance; telling its workflow only saves the time until it looks there by itself. */
const TELL_MS = 2_000;

/** What operators do to instances. It works from any api process, because it is done to the row. */
@Injectable()
export class InstanceActionsService {
  readonly #log = new Logger('instances');
  readonly #database: Database;
  readonly #temporal: Client;

  constructor(@Inject(DATABASE) database: Database, @Inject(TEMPORAL) temporal: Client) {
    this.#database = database;
    this.#temporal = temporal;
  }

  /**
   * Asks for the end of an instance; one that is ending already stays so.
   * @throws Refusal 400 when the body does not say which or what, 404 when no such instance is running
   */
  async act(action: InstanceAction, caller: SignedIn): Promise<void> {
    const isWhole = Boolean(action.instance_id) || (Boolean(action.model_id) && requestOf(action) !== null);
    if (!isWhole)
      throw new Refusal(400, 'Missing work_request_id or model_id: name both, or the instance_id');
    if (action.action !== 'STOP_INSTANCE') throw new Refusal(400, `Unknown action ${action.action}`);
    // Several may be ended, whose rows others lock in another order; and none is lent while it is ended.
    const marked = await this.#database.transaction((sql) => stop(sql, action, caller), lockClaimsStatement);
    await Promise.all(marked.map((instanceId) => this.#tell(instanceId)));
  }

  async #tell(instanceId: string): Promise<void> {
    const gateway = createWorkflowGateway(this.#temporal);
    try {
      await this.#temporal.withDeadline(Date.now() + TELL_MS, () => gateway.signalInstance(instanceId));
    } catch (error) {
      this.#log.warn(
        `telling the workflow of instance ${instanceId} to stop: it will read so from the row: ${String(error)}`,
      );
    }
  }
}

/** The request that is named; null also for what can be the id of none. */
const requestOf = ({ work_request_id: id }: InstanceAction) =>
  /^\d{1,15}$/.test(String(id ?? '')) ? Number(id) : null;

/** @returns ids of the instances that this call marked to end */
async function stop(sql: Sql, action: InstanceAction, caller: SignedIn): Promise<string[]> {
  const running = await sql.rows<{ id: string; model_id: string; request_ids: number[] }>(
    `select i.id, i.model_id,
         coalesce(json_agg(l.request_id) filter (where l.request_id is not null), '[]') as request_ids
       from model_instance i
       left join instance_lease l on l.instance_id = i.id and l.state = 'GRANTED'
      where i.state <> 'TERMINATED' and case when $1::text is not null then i.id = $1
        else i.model_id = $2 and l.request_id = $3::bigint end
      group by i.id order by i.id`,
    [action.instance_id || null, action.model_id ?? null, requestOf(action)],
  );
  if (running.length === 0) throw new Refusal(404, 'Instance not found');
  const marked: string[] = [];
  for (const { id, model_id, request_ids } of running) {
    const why = action.reason ? `: ${action.reason}` : '';
    if ((await markToEnd(sql, id, 'STOPPED', `an operator stopped it${why}`)) === null) continue;
    marked.push(id);
    await sql.rows(`update model_instance set stop_requested_by = $2 where id = $1`, [id, caller.userId]);
    await recordAudit(sql, {
      actorUserId: caller.userId,
      action: 'instance.stop',
      subjectType: 'instance',
      subjectId: id,
      reason: action.reason,
      details: { model_id, work_request_ids: request_ids },
    });
  }
  return marked;
}
