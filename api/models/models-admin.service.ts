import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import type { Database, Sql } from '../../db/database.js';
import { recordAudit } from '../../db/queries/audit.js';
import { lockClaims } from '../../db/queries/claims.js';
import { insertModel, updateModel } from '../../db/queries/models.js';
import type { CreateModel, ScalingInfo, UpdateModel } from '../../domain/model/model-input.wire.js';
import type { Model } from '../../domain/model/model.wire.js';
import type { SignedIn } from '../auth/signed-in.js';
import { Refusal } from '../http/refusal.js';
import { DATABASE } from '../records/tokens.js';
import { ModelsService } from './models.service.js';

/** What admins do with models. Each change is written down with who made it, in the same transaction. */
@Injectable()
export class ModelsAdminService {
  readonly #database: Database;
  readonly #models: ModelsService;

  constructor(@Inject(DATABASE) database: Database, models: ModelsService) {
    this.#database = database;
    this.#models = models;
  }

  /** @throws Refusal 409 when there is a model of this id */
  async create(model: CreateModel, caller: SignedIn): Promise<Model> {
    await this.#database.transaction(async (sql) => {
      if (!(await insertModel(sql, model))) throw new Refusal(409, `Model id [${model.id}] already exists`);
      const { enabled, details } = model;
      await recordAudit(sql, deedOf('model.create', model.id, caller, { after: { enabled, ...details } }));
    });
    return this.#readBack(model.id);
  }

  /**
   * Replaces what a model says of itself.
   * @param revision the revision that the change was made from; null overwrites whatever is there
   * @throws Refusal 404, or 409 when the model has changed since that revision
   */
  async update(id: string, model: UpdateModel, revision: number | null, caller: SignedIn): Promise<Model> {
    await this.#database.transaction(async (sql) => {
      await lockClaims(sql);
      const before = await lockRow(sql, id);
      if (!before) throw new Refusal(404, `Model id [${id}] does not exist`);
      if (!(await updateModel(sql, { id, ...model }, revision))) throw changedSince(id, revision, before);
      await recordAudit(sql, deedOf('model.update', id, caller, changesOf(before, await lockRow(sql, id))));
    });
    return this.#readBack(id);
  }

  /**
   * Has nothing to forget yet: no result of one request is used for another. It is written down all the same.
   * @throws Refusal 404
   */
  async clearCache(id: string, caller: SignedIn): Promise<void> {
    await this.#database.transaction(async (sql) => {
      if (!(await lockRow(sql, id))) throw new Refusal(404, `Model with id [${id}] not found`);
      await recordAudit(sql, deedOf('model.clear-cache', id, caller, { results: 0 }));
    });
  }

  /** @throws Refusal 404 */
  async scalingInfo(id: string): Promise<ScalingInfo> {
    const [row] = await this.#database.rows<Omit<ScalingInfo, 'enabled'>>(
      `select max_instances, (select count(*)::integer from model_instance i
          where i.model_id = model.id and i.state <> 'TERMINATED') as current_instances
         from model where id = $1`,
      [id],
    );
    if (!row) throw new Refusal(404, `Model with id [${id}] not found`);
    return { enabled: true, current_instances: row.current_instances, max_instances: row.max_instances };
  }

  async #readBack(id: string): Promise<Model> {
    this.#models.forget(id);
    const model = await this.#models.find(id);
    if (!model) throw new Error(`model ${id} was written and can not be read: it was deleted meanwhile`);
    return model;
  }
}

type ModelRow = Readonly<Record<string, unknown>>;

/** Not against whoever stores a request for it, which may take seconds while everybody waits for the claims. */
async function lockRow(sql: Sql, id: string): Promise<ModelRow | undefined> {
  const [row] = await sql.rows<ModelRow>(`select * from model where id = $1 for no key update`, [id]);
  return row;
}

const deedOf = (action: string, subjectId: string, caller: SignedIn, details: Record<string, unknown>) => ({
  actorUserId: caller.userId,
  action,
  subjectType: 'model',
  subjectId,
  details,
});

/** The columns that changed, as they were and as they are. */
function changesOf(before: ModelRow, after: ModelRow = {}): Record<string, unknown> {
  const changed = Object.keys(after).filter(
    (name) => name !== 'last_updated' && !isDeepStrictEqual(before[name], after[name]),
  );
  const only = (row: ModelRow) => Object.fromEntries(changed.map((name) => [name, row[name]]));
  return { before: only(before), after: only(after) };
}

const changedSince = (id: string, revision: number | null, before: ModelRow) =>
  new Refusal(
    409,
    `Model id [${id}] has changed since revision ${revision} and is at revision ${String(before.revision)} now; ` +
      'load it again and repeat the change',
  );
