import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { IdentificationDetails, ModelColumn } from '../domain/model/model.wire.js';
import { freshDatabase, type TestDatabase } from '../test/support/database.js';
import { describeWith } from '../test/support/require-part.js';
import { databaseSettings } from './database.config.js';
import { openDatabase, type Database } from './database.js';
import { Model } from './entities/model.entity.js';
import { migrate } from './migrate.js';

const catalogueFile = new URL('../local/models/catalogue.json', import.meta.url);
const catalogue = JSON.parse(readFileSync(catalogueFile, 'utf8')) as CatalogueEntry[];

interface CatalogueEntry {
  id: string;
  title: string;
  description: string;
  execution_mode: string;
  image: string;
  image_tag: string;
  enabled: boolean;
  template_version: string;
  disable_memory_limit: boolean;
  max_instances: number;
  warm_seconds: number;
  cache_enabled: boolean;
  k8s_resources: Record<'cpu_request' | 'cpu_limit' | 'memory_request' | 'memory_limit', number>;
  columns: unknown[];
  citation: string;
  identification_details: { title: string };
}

describeWith('postgres')('the models that come with the hub', () => {
  let testDatabase: TestDatabase;
  let database: Database;

  beforeEach(async () => {
    testDatabase = await freshDatabase();
    database = await openDatabase(databaseSettings.parse({ DATABASE_URL: testDatabase.url }));
  });
  afterEach(async () => {
    await database.close();
    await testDatabase.drop();
  });

  const readModels = () => database.entityManager().findAll(Model, { orderBy: { id: 'asc' } });

  it('are what the catalogue of the local models says, with images for clusters', async () => {
    const models = await readModels();
    const byId = new Map(models.map((model) => [model.id, model]));
    expect([...byId.keys()].sort()).toEqual(catalogue.map(({ id }) => id).sort());
    for (const { id, title, k8s_resources, ...said } of catalogue) {
      expect(said.identification_details.title).toBe(title);
      expect(byId.get(id)).toMatchObject({
        revision: 1,
        enabled: said.enabled,
        templateVersion: said.template_version,
        description: said.description,
        executionMode: said.execution_mode,
        image: `ersiliaos/${said.image}`,
        imageTag: said.image_tag,
        cpuRequestMillicores: k8s_resources.cpu_request,
        cpuLimitMillicores: k8s_resources.cpu_limit,
        memoryRequestMebibytes: k8s_resources.memory_request,
        memoryLimitMebibytes: k8s_resources.memory_limit,
        disableMemoryLimit: said.disable_memory_limit,
        maxInstances: said.max_instances,
        warmSeconds: said.warm_seconds,
        cacheEnabled: said.cache_enabled,
        columns: said.columns,
        citation: said.citation,
        identificationDetails: said.identification_details,
      });
    }
  });

  it('state their columns and details as the wire has them, each column once', async () => {
    for (const { columns, identificationDetails } of await readModels()) {
      expect(columns.map((each) => ModelColumn.parse(each))).toEqual(columns);
      expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length);
      expect(IdentificationDetails.parse(identificationDetails)).toEqual(identificationDetails);
    }
  });

  it('leave a model alone that an operator made under the same id', async () => {
    await database.orm.migrator.down({ to: 'migration-0001-spine' });
    expect(await readModels()).toEqual([]);
    await database.rows(
      `insert into model (id, image, description, cpu_request_millicores, cpu_limit_millicores,
         memory_request_mebibytes, memory_limit_mebibytes)
       values ('eos-physchem', 'own/image', 'mine', 1, 1, 1, 1)`,
    );
    expect(await migrate(testDatabase.url)).toContain('migration-0002-models');
    const models = await readModels();
    expect(models).toHaveLength(3);
    expect(models.find(({ id }) => id === 'eos-physchem')).toMatchObject({
      image: 'own/image',
      description: 'mine',
    });
  });

  it('stay where requests name them when the migration is undone', async () => {
    await database.rows(
      `insert into work_request (user_id, user_kind, session_id, model_id, expires_on)
       values ('user', 'guest', 'session', 'eos-morgan', current_date)`,
    );
    await database.orm.migrator.down({ to: 'migration-0001-spine' });
    expect((await readModels()).map(({ id }) => id)).toEqual(['eos-morgan']);
  });
});
