import {
  instanceStatesBefore,
  isToldWhenFree,
  type InstanceState,
  type LeaseState,
  type TerminationReason,
} from '../../domain/instance/instance.js';
import type { WorkRequestState } from '../../domain/work-request/work-request.js';
import type { Sql } from '../database.js';
import { storableText } from '../storable-text.js';
import { decayedUse } from './decayed-use.js';
import { recordInstanceEvent } from './instance-events.js';

/** A lease with what its work needs: the request it is for and the instance it has, if any. */
export interface LeaseFacts {
  readonly lease_token: string;
  readonly lease_state: LeaseState;
  readonly slice: number;
  /** Seconds until the claim takes part, when it pauses after losses; else 0. */
  readonly pause_seconds: number;
  readonly request_id: number;
  readonly run_key: string;
  readonly current_run_key: string;
  readonly request_state: WorkRequestState;
  readonly expires_on: string;
  readonly smiles_column: number;
  readonly shard_count: number;
  readonly row_count: number;
  readonly model_id: string;
  readonly execution_mode: 'SYNC' | 'ASYNC';
  readonly instance_id: string | null;
  readonly instance_state: InstanceState | null;
  readonly uid: string | null;
  readonly address: string | null;
  readonly memory_limit_bytes: number | null;
  readonly model_version: string | null;
  readonly termination_reason: TerminationReason | null;
  readonly termination_message: string | null;
}

/** The lease, or null when there never was one of this token. */
export async function readLease(sql: Sql, leaseToken: string): Promise<LeaseFacts | null> {
  const [lease] = await sql.rows<LeaseFacts>(leaseStatement(), [leaseToken]);
  return lease ?? null;
}

/** @param more further columns, of the lease `l`, its request `r`, its model `m` or its instance `i` */
export const leaseStatement = (...more: string[]): string => `
  select ${[leaseColumns, ...more].join(', ')} from instance_lease l
    join work_request r on r.id = l.request_id
    join model m on m.id = l.model_id
    left join model_instance i on i.id = l.instance_id
   where l.lease_token = $1`;

const leaseColumns = `l.lease_token, l.state as lease_state, l.slice, l.request_id, l.run_key,
  greatest(0, extract(epoch from l.requested_at - clock_timestamp()))::float8 as pause_seconds,
  r.run_key as current_run_key, r.state as request_state, r.expires_on, r.smiles_column, r.shard_count, r.row_count,
  m.id as model_id, m.execution_mode, i.id as instance_id, i.state as instance_state, i.uid, i.address,
  i.memory_limit_bytes, i.model_version, i.termination_reason, i.termination_message`;

/** True while the lease's run is its request's current one and the request is open. */
export function isOpen(lease: LeaseFacts): boolean {
  const isRunning = lease.request_state === 'SCHEDULING' || lease.request_state === 'PROCESSING';
  return isRunning && lease.run_key === lease.current_run_key;
}

/** True while the lease's work may still be written: granted, of the current run, for an open request. */
export function isInForce(lease: LeaseFacts): boolean {
  return lease.lease_state === 'GRANTED' && isOpen(lease);
}

/**
 * Claims an instance for a slice of a run; claiming again gives the claim there is.
 * @param pauseSeconds how long from now the claim takes no part yet
 */
export async function insertClaim(
  sql: Sql,
  { requestId, runKey }: { requestId: number; runKey: string },
  slice: number,
  pauseSeconds = 0,
): Promise<string> {
  const [lease] = await sql.rows<{ lease_token: string }>(
    `with claimed as (
       insert into instance_lease (lease_token, request_id, run_key, slice, user_id, model_id, memory_bytes, requested_at)
       select gen_random_uuid()::text, id, run_key, $3, user_id, model_id, memory_bytes,
         now() + $4 * interval '1 second'
         from work_request where id = $1 and run_key = $2
       on conflict (request_id, run_key, slice) where state <> 'RELEASED' do nothing
       returning lease_token)
     select lease_token from claimed
     union all
     select lease_token from instance_lease
      where request_id = $1 and run_key = $2 and slice = $3 and state <> 'RELEASED'
     limit 1`,
    [requestId, runKey, slice, pauseSeconds],
  );
  if (!lease) throw new Error(`request ${requestId} has no run ${runKey} to claim an instance for`);
  return lease.lease_token;
}

/**
 * True when a claim waits though all shards of its open request are stored, or worked on under other leases of the run.
 * Without it two requests that each hold an instance and wait for one more would wait for ever.
 */
export async function isClaimNeedless(sql: Sql, leaseToken: string): Promise<boolean> {
  const needless = await sql.rows(
    `select from instance_lease l join work_request r on r.id = l.request_id and r.run_key = l.run_key
      where l.lease_token = $1 and l.state = 'WAITING' and r.state in ('SCHEDULING', 'PROCESSING')
        and not exists (select from work_request_shard s
          where s.expires_on = r.expires_on and s.request_id = r.id and s.state <> 'DONE'
            and not exists (select from instance_lease holder where holder.lease_token = s.lease_token
              and holder.state = 'GRANTED' and holder.run_key = r.run_key))`,
    [leaseToken],
  );
  return needless.length > 0;
}

/** How a lease ends: what became of its work, and whether its instance may be lent again. */
export interface LeaseEnd {
  readonly outcome: string;
  /** Set when the instance must not be lent again, with the reason it is ended for. */
  readonly retire?: TerminationReason;
  /** The reason in words, where it is known. */
  readonly retireMessage?: string;
  readonly cpuSeconds?: number;
}

/**
 * Gives an instance back: free for the next claim, or marked to end. The user's charge is corrected to the time really
 * used. Releasing twice does nothing the second time.
 * @returns the id of an instance whose workflow has to be told: it was marked to end, or its idle time is short
 */
export async function releaseLease(sql: Sql, leaseToken: string, end: LeaseEnd): Promise<string | null> {
  const [released] = await sql.rows<{ instance_id: string | null }>(
    `with lease as (
       update instance_lease set state = 'RELEASED', released_at = clock_timestamp(), outcome = $2
        where lease_token = $1 and state <> 'RELEASED'
       returning instance_id, user_id, charged_seconds, granted_at),
     usage as (
       update user_usage u set decayed_seconds = greatest(0, ${decayedUse('u')} - l.charged_seconds
           + extract(epoch from clock_timestamp() - l.granted_at)::float8),
         as_of = clock_timestamp()
       from lease l where u.user_id = l.user_id and l.granted_at is not null)
     select instance_id from lease`,
    [leaseToken, end.outcome],
  );
  if (!released?.instance_id) return null;
  return end.retire
    ? await markToEnd(
        sql,
        released.instance_id,
        end.retire,
        end.retireMessage ?? `its last work ended as ${end.outcome}`,
      )
    : await markFree(sql, released.instance_id);
}

async function markFree(sql: Sql, instanceId: string): Promise<string | null> {
  const [free] = await sql.rows<{ warm_seconds: number }>(
    `update model_instance set idle_since = clock_timestamp() where id = $1 and state = 'ACTIVE' returning warm_seconds`,
    [instanceId],
  );
  return free && isToldWhenFree(free.warm_seconds) ? instanceId : null;
}

/**
 * Marks an instance to end unless it is ending already.
 * @returns its id if this call marked it
 */
export async function markToEnd(
  sql: Sql,
  instanceId: string,
  reason: TerminationReason,
  message: string,
): Promise<string | null> {
  const marked = await sql.rows(
    `update model_instance set state = 'SHOULD_TERMINATE', termination_reason = $2, termination_message = $3
      where id = $1 and state = any($4) returning id`,
    [instanceId, reason, storableText(message), instanceStatesBefore('SHOULD_TERMINATE')],
  );
  if (marked.length === 0) return null;
  await recordInstanceEvent(sql, instanceId, 'INSTANCE_SHOULD_TERMINATE', { reason, message });
  return instanceId;
}

/** Tokens of a request's leases that are not released yet; of one run, or of all. */
export async function readOpenLeases(
  sql: Sql,
  requestId: number,
  runKey?: string,
): Promise<{ lease_token: string; state: LeaseState }[]> {
  return sql.rows(
    `select lease_token, state from instance_lease
      where request_id = $1 and state <> 'RELEASED' and ($2::text is null or run_key = $2)`,
    [requestId, runKey ?? null],
  );
}
