/** The real models as the hub starts them: spawned from models.json, called over HTTP. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { realModels, startModel, type ModelProcess } from '../../test/support/model-process.js';

const molecules = {
  aspirin: 'CC(=O)Oc1ccccc1C(=O)O',
  caffeine: 'Cn1c(=O)c2c(ncn2C)n(C)c1=O',
  paracetamol: 'CC(=O)Nc1ccc(O)cc1',
  ibuprofen: 'CC(C)Cc1ccc(cc1)C(C)C(=O)O',
  artemisinin: 'C[C@@H]1CC[C@H]2[C@@H](C)C(=O)O[C@@H]3O[C@@]4(C)CC[C@@H]1[C@@]23OO4',
};
const texts = Object.values(molecules);
/** Molecules that no server may die of: too large for RDKit's stack, never ending, or simply wrong. */
const poison = ['C'.repeat(1200), 'C('.repeat(700) + 'C' + ')'.repeat(700), 'nonsense', '', 'CCO ethanol'];

type Row = Record<string, number | boolean | null> | null;
const models = new Map<string, ModelProcess>();
const ids = ['eos-physchem', 'eos-solubility', 'eos-morgan'] as const;

beforeAll(async () => {
  for (const id of ids) models.set(id, await startModel(realModels, id));
});
afterAll(() => Promise.all([...models.values()].map((model) => model.stop())));

const modelOf = (id: string) => models.get(id) as ModelProcess;
async function run(id: string, rows: readonly string[]): Promise<Row[]> {
  return (await (await modelOf(id).post('/run?orient=records&fetch_cache=False', rows)).json()) as Row[];
}
const memoryMebibytes = (id: string, field: 'VmRSS' | 'VmHWM') =>
  Number(
    new RegExp(`${field}:\\s+(\\d+)`).exec(
      readFileSync(`/proc/${modelOf(id).process.pid}/status`, 'utf8'),
    )?.[1],
  ) / 1024;

describe('eos-physchem', () => {
  it.each([
    ['aspirin', 180.159, 1.3101, 63.6, 4, 1, 2, 1, 0.1111, 44.7103, 13],
    ['caffeine', 194.194, -1.0293, 61.82, 6, 0, 0, 2, 0.375, 51.196, 14],
    ['paracetamol', 151.165, 1.3506, 49.33, 3, 2, 1, 1, 0.125, 42.4105, 11],
    ['ibuprofen', 206.285, 3.0732, 37.3, 2, 1, 4, 1, 0.4615, 61.0348, 15],
    ['artemisinin', 282.336, 2.3949, 53.99, 5, 0, 0, 0, 0.9333, 68.047, 20],
  ] as const)('gives %s what RDKit in Python gives', async (name, ...values) => {
    const [row] = await run('eos-physchem', [molecules[name]]);
    const columns =
      'amw CrippenClogP tpsa lipinskiHBA lipinskiHBD NumRotatableBonds NumAromaticRings FractionCSP3 CrippenMR NumHeavyAtoms'.split(
        ' ',
      );
    expect(Object.keys(row ?? {})).toEqual([...columns, 'lipinski_violations', 'veber_pass']);
    for (const [index, column] of columns.entries())
      expect(Math.abs(Number(row?.[column]) - Number(values[index]))).toBeLessThan(0.001);
    expect(row).toMatchObject({ lipinski_violations: 0, veber_pass: true });
  });

  it('counts what breaks the rules of thumb', async () => {
    const [longAlkane, sugarChain] = await run('eos-physchem', [
      'C'.repeat(40),
      'OCC(O)C(O)C(O)C(O)C(O)'.repeat(3),
    ]);
    expect(longAlkane).toMatchObject({ lipinski_violations: 2, veber_pass: false });
    expect(sugarChain).toMatchObject({ lipinski_violations: 3, veber_pass: false });
  });

  it('gives every way of writing a molecule the same digits', async () => {
    const [first, ...others] = await run('eos-physchem', [
      molecules.aspirin,
      'OC(=O)c1ccccc1OC(C)=O',
      'c1ccc(C(=O)O)c(c1)OC(C)=O',
    ]);
    expect(others).toEqual([first, first]);
  });
});

describe('eos-solubility', () => {
  it('follows the ESOL formula and OpenChemLib', async () => {
    const [aspirin] = await run('eos-solubility', [molecules.aspirin]);
    const esol = 0.16 - 0.63 * 1.3101 - 0.0062 * 180.159 + 0.066 * 2 - 0.74 * (6 / 13);
    expect(Object.keys(aspirin ?? {})).toEqual(['esol_logs', 'ocl_logs', 'ocl_logp']);
    expect(Number(aspirin?.['esol_logs'])).toBeCloseTo(esol, 3);
    expect(Number(aspirin?.['ocl_logs'])).toBeCloseTo(-1.929, 3);
    expect(Number(aspirin?.['ocl_logp'])).toBeCloseTo(1.1314, 3);
  });
});

describe('eos-morgan', () => {
  it('gives 2,048 bits that make aspirin and salicylic acid 0.448276 similar', async () => {
    const [aspirin, salicylicAcid] = await run('eos-morgan', [molecules.aspirin, 'OC(=O)c1ccccc1O']);
    const names = Object.keys(aspirin ?? {});
    expect([names.length, names[0], names.at(-1)]).toEqual([2048, 'bit_0000', 'bit_2047']);
    expect(new Set(Object.values(aspirin ?? {}))).toEqual(new Set([0, 1]));
    const inBoth = names.filter((name) => aspirin?.[name] === 1 && salicylicAcid?.[name] === 1).length;
    const inEither = names.filter((name) => aspirin?.[name] === 1 || salicylicAcid?.[name] === 1).length;
    expect(inBoth / inEither).toBeCloseTo(0.448276, 6);
  });

  it('lets 1,000 rows of 2,048 columns flow in bounded memory', async () => {
    const rows = Array.from({ length: 1000 }, (_, row) => texts[row % 5] ?? '');
    const response = await modelOf('eos-morgan').post('/run', rows);
    let bytes = 0;
    for await (const chunk of response.body ?? []) bytes += (chunk as Uint8Array).length;
    expect(bytes).toBeGreaterThan(25_000_000);
    expect(memoryMebibytes('eos-morgan', 'VmHWM')).toBeLessThan(400);
  });
});

const catalogue = JSON.parse(readFileSync(new URL('./catalogue.json', import.meta.url), 'utf8')) as readonly {
  id: string;
  columns: readonly { name: string; type: string }[];
}[];

const typeOf = (value: unknown, stated: string): string =>
  stated === 'integer' && Number.isInteger(value) ? 'integer' : typeof value;

describe.each(ids)('%s', (id) => {
  it('has the columns that the catalogue states, in their order and of their types', async () => {
    const stated = catalogue.find((model) => model.id === id)?.columns ?? [];
    for (const row of await run(id, texts)) {
      const given = Object.entries(row ?? {}).map(([name, value], at) => [
        name,
        typeOf(value, stated[at]?.type ?? ''),
      ]);
      expect(given).toEqual(stated.map(({ name, type }) => [name, type]));
    }
  });

  it('answers within a second of being spawned, when the machine is not busy otherwise', async () => {
    let quickestMs = modelOf(id).readyAfterMs;
    for (let again = 0; again < 4 && quickestMs >= 1000; again += 1) {
      const model = await startModel(realModels, id);
      quickestMs = Math.min(quickestMs, model.readyAfterMs);
      await model.stop();
    }
    expect(quickestMs).toBeLessThan(1000);
  });

  it('says its name and version, with that of RDKit', async () => {
    expect(await (await fetch(`${modelOf(id).url}/models/status`)).json()).toEqual([
      { modelName: id, modelVersion: 'v1.0.0-rdkit2026.09.1' },
    ]);
  });

  it('gives null for what is no molecule, and everything for the others', async () => {
    const clean = await run(id, texts);
    const mixed = await run(
      id,
      texts.flatMap((text, row) => [text, poison[row] ?? '']),
    );
    expect(mixed).toEqual(clean.flatMap((row) => [row, null]));
  });

  it('computes the same as a job', async () => {
    const submitted = await modelOf(id).post('/job/submit?orient=records', texts);
    const { job_id: jobId } = (await submitted.json()) as { job_id: string };
    const about = async (what: string) => (await fetch(`${modelOf(id).url}/job/${what}/${jobId}`)).json();
    while (((await about('status')) as { status: string }).status === 'pending');
    expect(await about('status')).toMatchObject({ job_id: jobId, status: 'completed' });
    expect(await about('result')).toEqual(await run(id, texts));
  });

  it('answers health checks at once while it computes', async () => {
    let isComputed = false;
    const rows = Array<string>(400).fill('C1CC2CC3CC(C1)CC(C2)C3'.repeat(8));
    const computing = run(id, rows).finally(() => (isComputed = true));
    const times: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      const began = performance.now();
      expect((await fetch(`${modelOf(id).url}/healthz`)).status).toBe(200);
      times.push(performance.now() - began);
    }
    // A machine with other work may hold up one answer or two.
    expect([isComputed, times.toSorted((a, b) => a - b)[10]! < 500]).toEqual([false, true]);
    await computing;
  });
});

describe('a wrong call', () => {
  it.each([
    ['no JSON', '[', 422],
    ['no array', '{"a":1}', 422],
    ['numbers', '[1]', 422],
    ['more than 32 MiB', `["${'C'.repeat(33 * 1024 * 1024)}"]`, 413],
  ])('with %s is refused, and the server goes on', async (_what, body, status) => {
    const { url } = modelOf('eos-physchem');
    const response = await fetch(`${url}/run`, { method: 'POST', body });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ detail: expect.any(String) });
    expect(await run('eos-physchem', [])).toEqual([]);
  });

  it('to an unknown path or job is not found', async () => {
    const { url } = modelOf('eos-physchem');
    for (const path of ['/', '/run', '/job/status/none', '/job/result/none'])
      expect((await fetch(url + path)).status).toBe(404);
  });

  it('that is given up stops the computing', async () => {
    const rows = Array<string>(20_000).fill(molecules.artemisinin);
    const response = await modelOf('eos-solubility').post('/run', rows);
    await response.body?.cancel();
    const began = performance.now();
    await run('eos-solubility', ['CCO']);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
