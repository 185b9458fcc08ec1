import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Client } from '@temporalio/client';
import type { Database } from '../../db/database.js';
import { isFinished } from '../../domain/work-request/work-request.js';
import type { WorkflowProgress } from '../../domain/work-request/work-request.wire.js';
import {
  requestProgressQuery,
  workRequestWorkflowId,
  type RequestProgress,
} from '../../workflows/process-work-request.messages.js';
import type { ApiSettings } from '../api.config.js';
import { isAdmin, type SignedIn } from '../auth/signed-in.js';
import { DATABASE, SETTINGS, TEMPORAL } from '../records/tokens.js';
import type { WorkRequestRow } from './work-request-row.js';

/** A page waits for this: better an old answer than none. */
const DEADLINE_MS = 1_500;

interface LeaseRow {
  state: 'WAITING' | 'GRANTED' | 'RELEASED';
  instance_id: string | null;
  is_ready: boolean | null;
}

/** What a request waits for and where it runs: asked of its workflow, else read from its rows. */
@Injectable()
export class RequestProgressService {
  readonly #log = new Logger('workflows');
  readonly #database: Database;
  readonly #temporal: Client;
  readonly #settings: ApiSettings;

  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(TEMPORAL) temporal: Client,
    @Inject(SETTINGS) settings: ApiSettings,
  ) {
    this.#database = database;
    this.#temporal = temporal;
    this.#settings = settings;
  }

  async read(row: WorkRequestRow, caller: SignedIn): Promise<WorkflowProgress> {
    const workflowId = workRequestWorkflowId(row.id, row.run_key);
    // A finished request is told by its row alone; its workflow has nothing to add.
    const live = isFinished(row.state) ? null : await this.#ask(workflowId);
    const told = live ?? (await this.#readRows(row));
    return {
      workflow_id: workflowId,
      phase: told.phase,
      waiting_because: told.waitingBecause,
      position: told.position,
      attempts: told.attempts,
      instance_ids: [...told.instanceIds],
      stale: live === null && !isFinished(row.state),
      temporal_url: isAdmin(caller) ? this.#temporalUrl(workflowId) : null,
    };
  }

  async #ask(workflowId: string): Promise<RequestProgress | null> {
    try {
      return await this.#temporal.withDeadline(Date.now() + DEADLINE_MS, () =>
        this.#temporal.workflow.getHandle(workflowId).query(requestProgressQuery),
      );
    } catch (error) {
      this.#log.debug(`asking ${workflowId} for its progress: the row answers instead: ${String(error)}`);
      return null;
    }
  }

  async #readRows(row: WorkRequestRow): Promise<RequestProgress> {
    const leases = await this.#database.rows<LeaseRow>(
      `select l.state, l.instance_id, i.state = 'ACTIVE' as is_ready
         from instance_lease l left join model_instance i on i.id = l.instance_id
        where l.request_id = $1 and l.run_key = $2 order by l.requested_at`,
      [row.id, row.run_key],
    );
    const phase = phaseOf(row, leases);
    return {
      phase,
      waitingBecause: phase === 'waiting' ? 'Waiting for a free instance of the model.' : null,
      position: null,
      attempts: row.attempts,
      instanceIds: leases.flatMap(({ instance_id: id }) => (id === null ? [] : [id])),
    };
  }

  #temporalUrl(workflowId: string): string | null {
    const { TEMPORAL_UI_URL: base, TEMPORAL_NAMESPACE: namespace } = this.#settings;
    if (base === undefined) return null;
    return `${base.replace(/\/$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
  }
}

function phaseOf({ state }: WorkRequestRow, leases: readonly LeaseRow[]): RequestProgress['phase'] {
  if (isFinished(state)) return 'finished';
  if (state === 'PROCESSING') return 'running';
  const granted = leases.filter((lease) => lease.state === 'GRANTED');
  if (granted.length > 0)
    return granted.some(({ is_ready: ready }) => ready) ? 'running' : 'instance-starting';
  return leases.some((lease) => lease.state === 'WAITING') ? 'waiting' : 'starting';
}
