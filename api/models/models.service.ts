import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '../../db/database.js';
import { Model as ModelEntity } from '../../db/entities/model.entity.js';
import { MODEL_CHANNEL } from '../../db/queries/models.js';
import type { Notifications } from '../../db/notifications.js';
import type { Model } from '../../domain/model/model.wire.js';
import { DATABASE, NOTIFICATIONS } from '../records/tokens.js';
import { WatchedCache } from '../records/watched-cache.js';
import { toModel } from './to-model.js';

const CACHE_MS = 5_000;

/** The models there are. */
@Injectable()
export class ModelsService {
  readonly #database: Database;
  readonly #cache: WatchedCache<ReadonlyMap<string, Model>>;

  constructor(@Inject(DATABASE) database: Database, @Inject(NOTIFICATIONS) notifications: Notifications) {
    this.#database = database;
    this.#cache = new WatchedCache(notifications, {
      channel: MODEL_CHANNEL,
      maxAgeMs: CACHE_MS,
      maxEntries: 1,
    });
  }

  /** All models, enabled or not, by id. */
  async list(): Promise<Model[]> {
    return [...(await this.#models()).values()];
  }

  async find(id: string): Promise<Model | null> {
    return (await this.#models()).get(id) ?? null;
  }

  /** This process changed a model: its next reader sees it, without waiting for the notification's way round. */
  forget(id: string): void {
    this.#cache.forget(id);
  }

  async #models(): Promise<ReadonlyMap<string, Model>> {
    const models = await this.#cache.get('all', async () => {
      const rows = await this.#database.entityManager().find(ModelEntity, {}, { orderBy: { id: 'asc' } });
      return new Map(rows.map((row) => [row.id, toModel(row)]));
    });
    return models ?? new Map();
  }
}
