import type { Database, Sql } from '../../db/database.js';
import { storableJson, storableText } from '../../db/storable-text.js';
import type { WatchedInstanceEvent } from '../../hosts/model-host.js';
import { writeEach, type AssertLeading } from './write-observations.js';

/**
 * Writes what a host reports of instances into their histories, once each however often it is told: an event belongs to
 * the instance of its uid alone. Its time is the host's.
 * @param assertLeading for the one who writes what a watch tells; what anyone may write needs none
 * @throws Error when those of an instance could not be written; the others are, and telling all again does no harm
 * @returns the events of instances that are still being created, whose uid is not known yet: to be tried again
 */
export async function keepHostEvents(
  database: Database,
  events: readonly WatchedInstanceEvent[],
  assertLeading: AssertLeading = async () => undefined,
): Promise<WatchedInstanceEvent[]> {
  const news = await readNews(database, events);
  const due = news.filter(({ is_early }) => !is_early).map(({ place }) => events[place - 1]!);
  await writeEach([...Map.groupBy(due, (event) => event.instanceId)], ([instanceId, own]) =>
    database.transaction(async (sql) => {
      await assertLeading(sql);
      await insertEvents(sql, instanceId, own);
    }),
  );
  return news.filter(({ is_early }) => is_early).map(({ place }) => events[place - 1]!);
}

/** After a gap everything is told again: what is written already must cost one statement. */
function readNews(
  database: Database,
  events: readonly WatchedInstanceEvent[],
): Promise<{ place: number; is_early: boolean }[]> {
  return database.rows(
    `select told.place, i.uid is null as is_early
       from unnest($1::text[], $2::text[], $3::text[]) with ordinality as told (instance_id, uid, event_id, place)
       join model_instance i on i.id = told.instance_id
      where (i.uid = told.uid or (i.uid is null and i.state <> 'TERMINATED'))
        and not exists (select from instance_event e
          where e.expires_on = i.expires_on and e.instance_id = i.id and e.event_id = told.event_id)
      order by told.place`,
    [
      events.map(({ instanceId }) => instanceId),
      events.map(({ uid }) => uid),
      events.map(({ id }) => storableText(id)),
    ],
  );
}

async function insertEvents(
  sql: Sql,
  instanceId: string,
  events: readonly WatchedInstanceEvent[],
): Promise<void> {
  // Locked first: what another worker wrote meanwhile is seen by the statement after it.
  await sql.rows(`select from model_instance where id = $1 for update`, [instanceId]);
  await sql.rows(
    `with news as (
       select distinct on (event_id) * from unnest($2::text[], $3::text[], $4::timestamptz[], $5::jsonb[])
         with ordinality as told (event_id, type, at, details, place) order by event_id, place),
     written as (
       insert into instance_event (expires_on, instance_id, event_no, source, type, event_id, at, details)
       select i.expires_on, i.id, i.event_count + row_number() over (order by news.place), 'cluster', news.type,
         news.event_id, news.at, news.details
         from news join model_instance i on i.id = $1
        where not exists (select from instance_event e
          where e.expires_on = i.expires_on and e.instance_id = i.id and e.event_id = news.event_id)
       returning 1)
     update model_instance set event_count = event_count + (select count(*)::integer from written) where id = $1`,
    [
      instanceId,
      events.map(({ id }) => storableText(id)),
      events.map(({ reason }) => storableText(reason)),
      events.map(({ at }) => at),
      events.map(({ type, message, raw }) => storableJson({ type, message, raw })),
    ],
  );
}
