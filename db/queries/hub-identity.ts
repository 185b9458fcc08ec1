import type { Sql } from '../database.js';

/**
 * The id of the hub whose records these are: the same for all its processes, another one for every other database.
 * @throws Error when the database does not hold exactly one
 */
export async function readHubId(sql: Sql): Promise<string> {
  const rows = await sql.rows<{ id: string }>(`select id from hub_identity`);
  const [row] = rows;
  if (row && rows.length === 1) return row.id;
  throw new Error(
    `the table hub_identity holds ${rows.length} rows instead of one: put back the one whose id the hub's pods carry in their label ersilia.hub-id`,
  );
}
