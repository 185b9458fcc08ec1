import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Client } from '@temporalio/client';
import type { Database } from '../../db/database.js';
import { tellPause, unknownWait } from '../../domain/claim/tell-wait.js';
import type { LeaseState } from '../../domain/instance/instance.js';
import { tellStart } from '../../domain/instance/tell-start.js';
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
import { WaitingLineService } from './waiting-line.service.js';
import type { WorkRequestRow } from './work-request-row.js';

/** A page waits for this: better an old answer than none. */
const DEADLINE_MS = 1_500;

interface LeaseRow {
  readonly lease_token: string;
  readonly state: LeaseState;
  /** Seconds until the claim takes part; 0 when it does. */
  readonly pause_seconds: number;
  readonly instance_id: string | null;
  readonly is_ready: boolean | null;
  readonly waiting_reason: string | null;
  readonly waiting_message: string | null;
}

type Told = { readonly because: string | null; readonly position: number | null };
const notWaiting: Told = { because: null, position: null };

/**
 * What a request waits for and where it runs. Its workflow says that it lives, and what it has tried; phase, reason and
 * position change with other people's requests and with the cluster, which no workflow hears of: rows tell them.
 */
@Injectable()
export class RequestProgressService {
  readonly #log = new Logger('workflows');
  readonly #database: Database;
  readonly #temporal: Client;
  readonly #settings: ApiSettings;
  readonly #line: WaitingLineService;

  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(TEMPORAL) temporal: Client,
    @Inject(SETTINGS) settings: ApiSettings,
    line: WaitingLineService,
  ) {
    this.#line = line;
    this.#database = database;
    this.#temporal = temporal;
    this.#settings = settings;
  }

  async read(row: WorkRequestRow, caller: SignedIn): Promise<WorkflowProgress> {
    const workflowId = workRequestWorkflowId(row.id, row.run_key);
    // A finished request is told by its row alone; its workflow has nothing to add.
    const live = isFinished(row.state) ? null : await this.#ask(workflowId);
    const leases = await this.#readLeases(row);
    const phase = phaseOf(row, leases);
    const { because, position } = await this.#readWait(phase, leases, live);
    return {
      workflow_id: workflowId,
      phase,
      waiting_because: because,
      position,
      attempts: live?.attempts ?? row.attempts,
      instance_ids: [...(live?.instanceIds ?? instancesOf(leases))],
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

  #readLeases(row: WorkRequestRow): Promise<LeaseRow[]> {
    return this.#database.rows<LeaseRow>(
      `select l.lease_token, l.state, l.instance_id, i.state = 'ACTIVE' as is_ready, i.waiting_reason, i.waiting_message,
         greatest(0, extract(epoch from l.requested_at - clock_timestamp()))::float8 as pause_seconds
         from instance_lease l left join model_instance i on i.id = l.instance_id
        where l.request_id = $1 and l.run_key = $2 order by l.requested_at`,
      [row.id, row.run_key],
    );
  }

  async #readWait(
    phase: RequestProgress['phase'],
    leases: readonly LeaseRow[],
    live: RequestProgress | null,
  ): Promise<Told> {
    if (phase === 'instance-starting') return tellStarting(leases);
    const claim = leases.find(({ state }) => state === 'WAITING');
    if (phase !== 'waiting' || !claim) return notWaiting;
    if (claim.pause_seconds > 0) return tellPause(claim.pause_seconds);
    // Whoever came since the line was read is told what its workflow was told a moment ago.
    const told = live?.waitingBecause
      ? { because: live.waitingBecause, position: live.position }
      : unknownWait;
    return (await this.#line.find(claim.lease_token)) ?? told;
  }

  #temporalUrl(workflowId: string): string | null {
    const { TEMPORAL_UI_URL: base, TEMPORAL_NAMESPACE: namespace } = this.#settings;
    if (base === undefined) return null;
    return `${base.replace(/\/$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
  }
}

function phaseOf({ state }: WorkRequestRow, leases: readonly LeaseRow[]): RequestProgress['phase'] {
  if (isFinished(state)) return 'finished';
  const granted = leases.filter((lease) => lease.state === 'GRANTED');
  if (granted.length > 0)
    return granted.some(({ is_ready: ready }) => ready) ? 'running' : 'instance-starting';
  if (leases.some((lease) => lease.state === 'WAITING')) return 'waiting';
  return state === 'PROCESSING' ? 'running' : 'starting';
}

/** Of several instances that start the first that is stuck: the others may be, too. */
function tellStarting(leases: readonly LeaseRow[]): Told {
  for (const { state, waiting_reason: reason, waiting_message: message } of leases)
    if (state === 'GRANTED' && reason !== null)
      return { because: tellStart({ reason, message }), position: null };
  return notWaiting;
}

function instancesOf(leases: readonly LeaseRow[]): string[] {
  return leases.flatMap(({ instance_id: id }) => (id === null ? [] : [id]));
}
