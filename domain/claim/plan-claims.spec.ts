import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ClaimedModel, InstanceClaim, Place } from './claim-facts.js';
import { planClaims } from './plan-claims.js';

const MIB = 1024 * 1024;
const limits = { maxInstances: 4, patienceSeconds: 10 };

const claim = (over: Partial<InstanceClaim> = {}): InstanceClaim => ({
  leaseToken: 'lease',
  userId: 'ada',
  requestedAtMs: 0,
  usageSeconds: 0,
  modelId: 'eos-a',
  memoryBytes: null,
  waitedSeconds: 0,
  ...over,
});
const place = (over: Partial<Place> = {}): Place => ({
  instanceId: 'instance',
  modelId: 'eos-a',
  modelRevision: 1,
  state: 'ACTIVE',
  healthy: true,
  leased: false,
  memoryLimitBytes: 512 * MIB,
  idleSeconds: 1,
  ...over,
});
const model = (modelId: string, over: Partial<ClaimedModel> = {}): ClaimedModel => ({
  modelId,
  revision: 1,
  enabled: true,
  maxInstances: -1,
  waiting: 1,
  ...over,
});
const busy = (count: number, modelId: string) =>
  Array.from({ length: count }, (_, index) =>
    place({ instanceId: `${modelId}-${index}`, modelId, leased: true, idleSeconds: 0 }),
  );

describe('a claim', () => {
  it('is lent a free instance of its model', () => {
    const plan = planClaims([claim()], [place()], [model('eos-a')], limits);
    expect(plan).toEqual({
      lend: [{ leaseToken: 'lease', instanceId: 'instance' }],
      start: [],
      retire: [],
      wait: [],
    });
  });

  it('is lent a ready instance before one that is still starting', () => {
    const places = [place({ instanceId: 'starting', state: 'REQUESTED' }), place({ instanceId: 'ready' })];
    expect(planClaims([claim()], places, [model('eos-a')], limits).lend[0]?.instanceId).toBe('ready');
  });

  it('is lent one that passes its health checks before one that misses them, and that one before a further start', () => {
    const [sick, well] = [place({ instanceId: 'sick', healthy: false }), place({ instanceId: 'well' })];
    const lent = (places: Place[]) => planClaims([claim()], places, [model('eos-a')], limits).lend[0];
    expect(lent([sick, well])?.instanceId).toBe('well');
    expect(lent([sick])?.instanceId).toBe('sick');
  });

  it('is lent a starting instance whose requester vanished, rather than one more being started', () => {
    const plan = planClaims([claim()], [place({ state: 'INITIALIZING' })], [model('eos-a')], limits);
    expect([plan.lend.length, plan.start.length]).toEqual([1, 0]);
  });

  it.each([
    ['busy', { leased: true }],
    ['of an older revision', { modelRevision: 0 }],
    ['too small', { memoryLimitBytes: 256 * MIB }],
    ['ending', { state: 'SHOULD_TERMINATE' as const }],
    ['of another model', { modelId: 'eos-b' }],
  ])('starts an instance when the only one is %s', (_, over) => {
    const plan = planClaims([claim({ memoryBytes: 512 * MIB })], [place(over)], [model('eos-a')], limits);
    expect(plan.start).toEqual([{ leaseToken: 'lease', modelId: 'eos-a' }]);
  });

  it('is lent an instance without a memory limit, whatever it needs', () => {
    const plan = planClaims(
      [claim({ memoryBytes: 9e12 })],
      [place({ memoryLimitBytes: null })],
      [model('eos-a')],
      limits,
    );
    expect(plan.lend).toHaveLength(1);
  });

  it.each([
    [
      'the model is switched off',
      model('eos-a', { enabled: false }),
      'The model is switched off; the request runs when it is on again.',
    ],
    [
      'its limit is 0',
      model('eos-a', { maxInstances: 0 }),
      'No instance of this model may start: its limit is 0.',
    ],
    [
      'its instances are all busy',
      model('eos-a', { maxInstances: 1 }),
      'All instances of this model are busy (1 of at most 1).',
    ],
  ])('waits when %s, and says so', (_, own, because) => {
    const places = own.maxInstances === 1 ? busy(1, 'eos-a') : [];
    const plan = planClaims([claim()], places, [own], limits);
    expect(plan.wait).toEqual([{ leaseToken: 'lease', position: 1, because }]);
    expect(plan.start).toEqual([]);
  });

  it('retires a free instance of its model that is outdated when the model may have no other', () => {
    const plan = planClaims(
      [claim()],
      [place({ modelRevision: 0 })],
      [model('eos-a', { maxInstances: 1 })],
      limits,
    );
    expect(plan.retire).toEqual(['instance']);
  });
});

describe('a place in line', () => {
  it('counts those who wait for the same model, not those of a model that is switched off', () => {
    const claims = ['off', 'first', 'second'].map((leaseToken, index) =>
      claim({ leaseToken, requestedAtMs: index, modelId: index === 0 ? 'eos-b' : 'eos-a' }),
    );
    const models = [model('eos-a', { maxInstances: 1 }), model('eos-b', { enabled: false })];
    const { wait } = planClaims(claims, busy(1, 'eos-a'), models, limits);
    expect(wait.map(({ leaseToken, position }) => [leaseToken, position])).toEqual([
      ['off', 1],
      ['first', 1],
      ['second', 2],
    ]);
  });

  it('counts all who wait for room in the hub, of whatever model', () => {
    const claims = ['eos-a', 'eos-b', 'eos-c'].map((modelId, index) =>
      claim({ leaseToken: modelId, requestedAtMs: index, modelId }),
    );
    const { wait } = planClaims(
      claims,
      busy(4, 'eos-d'),
      claims.map(({ modelId }) => model(modelId)),
      limits,
    );
    expect(wait.map(({ position }) => position)).toEqual([1, 2, 3]);
  });
});

describe('a full hub', () => {
  it('retires the longest-idle instance that nobody wants', () => {
    const places = [
      ...busy(2, 'eos-b'),
      place({ instanceId: 'old', modelId: 'eos-b', idleSeconds: 50 }),
      place({ instanceId: 'new', modelId: 'eos-b', idleSeconds: 5 }),
    ];
    expect(planClaims([claim()], places, [model('eos-a')], limits).retire).toEqual(['old']);
  });

  it('retires nothing while a place is coming free anyway', () => {
    const places = [
      ...busy(2, 'eos-b'),
      place({ modelId: 'eos-b', state: 'TERMINATING' }),
      place({ instanceId: 'idle', modelId: 'eos-b' }),
    ];
    expect(planClaims([claim()], places, [model('eos-a')], limits).retire).toEqual([]);
  });

  it('lends a freed instance to its own model while nobody has lost patience', () => {
    const claims = [
      claim({ leaseToken: 'a' }),
      claim({ leaseToken: 'b', userId: 'bert', modelId: 'eos-b', requestedAtMs: 1 }),
    ];
    const plan = planClaims(
      claims,
      [...busy(3, 'eos-b'), place({ modelId: 'eos-b' })],
      [model('eos-a'), model('eos-b')],
      limits,
    );
    expect(plan.lend).toEqual([{ leaseToken: 'b', instanceId: 'instance' }]);
  });

  it('gives its place to a model that has none once that has waited past its patience', () => {
    const claims = [
      claim({ leaseToken: 'a', waitedSeconds: 11 }),
      claim({ leaseToken: 'b', userId: 'bert', modelId: 'eos-b', requestedAtMs: 1 }),
    ];
    const plan = planClaims(
      claims,
      [...busy(3, 'eos-b'), place({ modelId: 'eos-b' })],
      [model('eos-a'), model('eos-b')],
      limits,
    );
    expect([plan.lend, plan.retire]).toEqual([[], ['instance']]);
  });

  it('does not swap places between models that are served alike', () => {
    const claims = [
      claim({ leaseToken: 'a', waitedSeconds: 60 }),
      claim({ leaseToken: 'b', userId: 'bert', modelId: 'eos-b', requestedAtMs: 1 }),
    ];
    const places = [...busy(2, 'eos-a'), ...busy(1, 'eos-b'), place({ modelId: 'eos-b' })];
    const plan = planClaims(claims, places, [model('eos-a'), model('eos-b')], limits);
    expect(plan.lend).toEqual([{ leaseToken: 'b', instanceId: 'instance' }]);
  });

  it('shares its places by what is asked of each model, not by how many models there are', () => {
    const claims = [
      claim({ leaseToken: 'a', waitedSeconds: 60 }),
      claim({ leaseToken: 'b', userId: 'bert', modelId: 'eos-b', requestedAtMs: 1 }),
    ];
    const places = [...busy(1, 'eos-a'), ...busy(2, 'eos-b'), place({ modelId: 'eos-b' })];
    const much = [model('eos-a', { waiting: 5 }), model('eos-b', { waiting: 50 })];
    expect(planClaims(claims, places, much, limits)).toMatchObject({
      lend: [{ leaseToken: 'b' }],
      retire: [],
    });
    const little = [model('eos-a', { waiting: 50 }), model('eos-b', { waiting: 5 })];
    expect(planClaims(claims, places, little, limits)).toMatchObject({ lend: [], retire: ['instance'] });
  });

  it('leaves a model that is asked for now and then its place when those who want it are being served', () => {
    const retiredAfter = (idleSeconds: number, own: Place[]) =>
      planClaims(
        [claim()],
        [...own, ...busy(4 - 1 - own.length, 'eos-c'), place({ modelId: 'eos-b', idleSeconds })],
        [model('eos-a')],
        limits,
      ).retire;
    expect(retiredAfter(3, busy(2, 'eos-a'))).toEqual([]);
    expect(retiredAfter(30, busy(2, 'eos-a'))).toEqual(['instance']);
    expect(retiredAfter(3, [])).toEqual(['instance']);
  });

  it('keeps its last place for a model without any, before those who have some', () => {
    const claims = [
      claim({ leaseToken: 'b', modelId: 'eos-b' }),
      claim({ leaseToken: 'a', modelId: 'eos-a', requestedAtMs: 1, waitedSeconds: 60 }),
    ];
    const plan = planClaims(claims, busy(3, 'eos-b'), [model('eos-a'), model('eos-b')], limits);
    expect(plan).toMatchObject({ start: [{ leaseToken: 'a' }], wait: [{ leaseToken: 'b' }] });
  });

  it('keeps no place for a model that may have no more instances', () => {
    const claims = [
      claim({ leaseToken: 'b', modelId: 'eos-b' }),
      claim({ leaseToken: 'a', modelId: 'eos-a', requestedAtMs: 1, waitedSeconds: 60 }),
    ];
    const models = [model('eos-a', { maxInstances: 1, waiting: 90 }), model('eos-b')];
    const plan = planClaims(claims, [...busy(1, 'eos-a'), ...busy(2, 'eos-b')], models, limits);
    expect(plan.start).toEqual([{ leaseToken: 'b', modelId: 'eos-b' }]);
  });

  it('takes the place for a model without any from the one that has most beyond its part', () => {
    const places = [
      ...busy(1, 'eos-b'),
      place({ instanceId: 'only', modelId: 'eos-c', idleSeconds: 9 }),
      ...busy(1, 'eos-b').map((each) => ({ ...each, instanceId: 'another' })),
      place({ instanceId: 'one of many', modelId: 'eos-b' }),
    ];
    const plan = planClaims(
      [claim({ waitedSeconds: 60 })],
      places,
      [model('eos-a'), model('eos-b'), model('eos-c', { waiting: 20 })],
      limits,
    );
    expect(plan.retire).toEqual(['one of many']);
  });
});

const modelIds = ['eos-a', 'eos-b', 'eos-c'] as const;
const aPlace = fc.record({
  instanceId: fc.uuid(),
  modelId: fc.constantFrom(...modelIds),
  modelRevision: fc.constantFrom(0, 1),
  state: fc.constantFrom(
    'REQUESTED' as const,
    'ACTIVE' as const,
    'SHOULD_TERMINATE' as const,
    'TERMINATING' as const,
  ),
  healthy: fc.boolean(),
  leased: fc.boolean(),
  memoryLimitBytes: fc.constantFrom(256 * MIB, 512 * MIB, null),
  idleSeconds: fc.integer({ min: 0, max: 100 }),
});
const aClaim = fc.record({
  leaseToken: fc.uuid(),
  userId: fc.constantFrom('ada', 'bert', 'cleo'),
  requestedAtMs: fc.integer({ min: 0, max: 1000 }),
  usageSeconds: fc.constant(0),
  modelId: fc.constantFrom(...modelIds),
  memoryBytes: fc.constantFrom(null, 512 * MIB),
  waitedSeconds: fc.integer({ min: 0, max: 30 }),
});
const aCase = fc.record({
  claims: fc.uniqueArray(aClaim, { maxLength: 12, selector: ({ leaseToken }) => leaseToken }),
  places: fc.uniqueArray(aPlace, { maxLength: 8, selector: ({ instanceId }) => instanceId }),
  models: fc.tuple(
    ...modelIds.map((id) =>
      fc
        .tuple(fc.integer({ min: -1, max: 3 }), fc.integer({ min: 0, max: 60 }))
        .map(([maxInstances, waiting]) => model(id, { maxInstances, waiting })),
    ),
  ),
  maxInstances: fc.integer({ min: 1, max: 8 }),
});

describe('any plan', () => {
  it('answers every claim once: lent, started or waiting', () => {
    fc.assert(
      fc.property(aCase, ({ claims, places, models, maxInstances }) => {
        const plan = planClaims(claims, places, models, { maxInstances, patienceSeconds: 10 });
        const answered = [...plan.lend, ...plan.start, ...plan.wait].map(({ leaseToken }) => leaseToken);
        expect(answered.toSorted()).toEqual(claims.map(({ leaseToken }) => leaseToken).toSorted());
      }),
    );
  });

  it('never goes beyond a limit, counting every place that is not gone yet', () => {
    fc.assert(
      fc.property(aCase, ({ claims, places, models, maxInstances }) => {
        const plan = planClaims(claims, places, models, { maxInstances, patienceSeconds: 10 });
        if (plan.start.length > 0)
          expect(places.length + plan.start.length).toBeLessThanOrEqual(maxInstances);
        for (const { modelId, maxInstances: most } of models) {
          const started = plan.start.filter((start) => start.modelId === modelId).length;
          const live = places.filter((each) => each.modelId === modelId).length;
          if (started > 0 && most >= 0) expect(live + started).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it('lends and retires only what is free, and each at most once', () => {
    fc.assert(
      fc.property(aCase, ({ claims, places, models, maxInstances }) => {
        const plan = planClaims(claims, places, models, { maxInstances, patienceSeconds: 10 });
        const touched = [...plan.lend.map(({ instanceId }) => instanceId), ...plan.retire];
        expect(new Set(touched).size).toBe(touched.length);
        for (const id of touched) {
          const own = places.find(({ instanceId }) => instanceId === id)!;
          expect(own.leased).toBe(false);
          expect(['REQUESTED', 'ACTIVE']).toContain(own.state);
        }
      }),
    );
  });
});

/** An end takes a while: meanwhile other places come free, and claims are served again. */
const after = ({ state, instanceId }: Place, retired: readonly string[]): Partial<Place> =>
  state === 'ACTIVE' && !retired.includes(instanceId)
    ? { leased: true }
    : { leased: false, state: 'TERMINATING' };

/** Every model is asked for more than can be served; one busy place after another comes free and is given on. */
function moveAsPlacesComeFree(waiting: readonly number[], start: readonly Place[], freed: readonly number[]) {
  const models = waiting.map((count, index) => model(modelIds[index]!, { waiting: count }));
  const newClaim = (modelId: string, at: number) =>
    claim({ leaseToken: `${modelId} ${at}`, modelId, waitedSeconds: 60, requestedAtMs: at });
  let claims = models.flatMap(({ modelId }) => [-2, -1, 0].map((at) => newClaim(modelId, at)));
  let places = [...start];
  const moves = freed.map((next, step) => {
    const working = places.filter(({ state }) => state === 'ACTIVE');
    const free = working[next % working.length];
    places = places.map((each) => (each === free ? { ...each, leased: false, idleSeconds: 0 } : each));
    const plan = planClaims(claims, places, models, { maxInstances: start.length, patienceSeconds: 10 });
    const served = new Set([...plan.lend, ...plan.start].map(({ leaseToken }) => leaseToken));
    claims = claims.map((each) => (served.has(each.leaseToken) ? newClaim(each.modelId, step + 1) : each));
    places = places.map((each) => ({ ...each, ...after(each, plan.retire) }));
    if (step % 3 === 0) places = places.filter(({ state }) => state !== 'TERMINATING');
    const started = plan.start.map(({ modelId }) => place({ instanceId: `${step}`, modelId, leased: true }));
    places = [...places, ...started];
    return plan.retire.length;
  });
  return { moves, places };
}

describe('many plans, one after the other', () => {
  it('settle: while what is asked stays as it is, each model gets a place, and places do not go to and fro', () => {
    const cases = fc.record({
      waiting: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 3, maxLength: 3 }),
      start: fc.array(fc.constantFrom(...modelIds), { minLength: 3, maxLength: 12 }),
      // In any order, but every place comes free again and again.
      freed: fc.infiniteStream(fc.nat({ max: 1000 })).map((stream) => [...stream.take(300)]),
    });
    fc.assert(
      fc.property(cases, ({ waiting, start, freed }) => {
        const places = start.map((modelId, index) =>
          place({ instanceId: `${modelId}-${index}`, modelId, leased: true }),
        );
        const settled = moveAsPlacesComeFree(waiting, places, freed);
        expect(settled.moves.reduce((sum, retired) => sum + retired, 0)).toBeLessThanOrEqual(
          2 * places.length,
        );
        expect(new Set(settled.places.map(({ modelId }) => modelId)).size).toBe(modelIds.length);
      }),
    );
  });
});
