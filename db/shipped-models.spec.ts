import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { ModelColumn } from '../domain/model/model.wire.js';
import { freshDatabase, type TestDatabase } from '../test/support/database.js';
import { describeWith } from '../test/support/require-part.js';
import { databaseSettings } from './database.config.js';
import { openDatabase, type Database } from './database.js';
import { Model } from './entities/model.entity.js';
import { migrate } from './migrate.js';

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

  it('are three, enabled, each with an image for clusters, sizes and a citation', async () => {
    const models = await readModels();
    expect(models.map(({ id }) => id)).toEqual(['eos-morgan', 'eos-physchem', 'eos-solubility']);
    for (const model of models) {
      expect(model).toMatchObject({ enabled: true, revision: 1, image: `ersiliaos/${model.id}` });
      expect(model.memoryLimitMebibytes).toBeGreaterThanOrEqual(model.memoryRequestMebibytes);
      expect(model.cpuLimitMillicores).toBeGreaterThanOrEqual(model.cpuRequestMillicores);
      expect(model.citation).not.toBe('');
      expect(model.identificationDetails).toMatchObject({ slug: model.id, description: model.description });
      expect(model.identificationDetails!.title).not.toBe('');
    }
  });

  it('state their columns as the wire has them, each once', async () => {
    for (const { columns } of await readModels()) {
      expect(columns.map((column) => ModelColumn.parse(column))).toEqual(columns);
      expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length);
    }
    const [morgan, physchem, solubility] = (await readModels()).map(({ columns }) =>
      columns.map(({ name }) => name),
    );
    expect(morgan).toHaveLength(2048);
    expect([morgan![0], morgan![2047]]).toEqual(['bit_0000', 'bit_2047']);
    expect(physchem).toEqual([
      'amw',
      'CrippenClogP',
      'tpsa',
      'lipinskiHBA',
      'lipinskiHBD',
      'NumRotatableBonds',
      'NumAromaticRings',
      'FractionCSP3',
      'CrippenMR',
      'NumHeavyAtoms',
      'lipinski_violations',
      'veber_pass',
    ]);
    expect(solubility).toEqual(['esol_logs', 'ocl_logs', 'ocl_logp']);
  });

  it('leave a model alone that an operator made under the same id', async () => {
    await database.orm.migrator.down();
    expect(await readModels()).toEqual([]);
    await database.rows(
      `insert into model (id, image, description, cpu_request_millicores, cpu_limit_millicores,
         memory_request_mebibytes, memory_limit_mebibytes)
       values ('eos-physchem', 'own/image', 'mine', 1, 1, 1, 1)`,
    );
    expect(await migrate(testDatabase.url)).toEqual(['migration-0002-models']);
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
    await database.orm.migrator.down();
    expect((await readModels()).map(({ id }) => id)).toEqual(['eos-morgan']);
  });
});
