import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { apiSettings, type ApiSettings } from '../../api/api.config.js';
import { Refusal } from '../../api/http/refusal.js';
import { ModelCatalogueService } from '../../api/models/model-catalogue.service.js';
import { describeWith } from '../support/require-part.js';
import { startApi } from '../support/running-api.js';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** What is published of models, asked of played servers: the real ones are somebody else's. */
describeWith('postgres')('what is published of a model', () => {
  let server: Server;
  let url: string;
  const asked: { path: string; method: string; body: string }[] = [];
  const answers = new Map<string, Answer>();

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        asked.push({ path: request.url!, method: request.method!, body });
        const answer = answers.get(request.url!) ?? ((_, to) => to.writeHead(404).end());
        answer(request, response, body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    asked.length = 0;
    answers.clear();
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const json =
    (value: unknown): Answer =>
    (_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  const listed = [
    { Identifier: 'eos2db3', Title: 'Another' },
    null,
    {
      Identifier: 'eos4e40',
      Title: 'Antibiotic activity',
      GitHub: 'https://example.org/eos4e40',
      'Target Organism': ['Escherichia coli'],
    },
  ];
  const catalogue = () => ({ ERSILIA_CATALOG_MODELS_URL: `${url}/models.json` });
  const hub = () => ({
    MODEL_HUB_RECORDS_URL: `${url}/records`,
    MODEL_HUB_DETAILS_BASE_URL: `${url}/details/`,
  });
  const start = (settings: Partial<ApiSettings>) => {
    const service = new ModelCatalogueService(
      apiSettings.parse({ DATABASE_URL: 'postgres://none', ...settings }),
    );
    const ways = {
      'identification-details': (id: string) => service.find(id),
      'ersilia-catalog-details': (id: string) => service.findInCatalogue(id),
      'model-hub-details': (id: string) => service.findInModelHub(id),
    };
    return async (id: string, what: keyof typeof ways = 'identification-details') => {
      try {
        return { status: 200, found: await ways[what](id), detail: '' };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const { detail } = error.getResponse() as { detail: string };
        return { status: error.getStatus(), found: null, detail };
      }
    };
  };
  const playHub = () => {
    answers.set(
      '/records',
      json({
        records: [
          { id: 'rec1', fields: { Identifier: 'eos4e40-old' } },
          { id: 'rec 2', fields: { Identifier: 'eos4e40' } },
        ],
      }),
    );
    answers.set(
      '/details/rec%202',
      json({
        records: [{ id: 'rec 2', fields: { Title: 'From the hub', 'Biomedical Area': 'Malaria, TB' } }],
      }),
    );
  };

  it('comes from the catalogue, which is read once for all who ask within half a minute', async () => {
    answers.set('/models.json', json(listed));
    const get = start({ ...catalogue(), ...hub() });
    const found = await Promise.all([
      get('eos4e40'),
      get('eos2db3'),
      get('eos4e40', 'ersilia-catalog-details'),
    ]);
    expect(found.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(found[0]!.found).toEqual({
      title: 'Antibiotic activity',
      source_code: 'https://example.org/eos4e40',
      target_organisms: ['Escherichia coli'],
      description: null,
      interpretation: null,
      slug: null,
      publication: null,
      biomedical_areas: null,
    });
    expect(asked).toHaveLength(1);
  });

  it('comes from the model hub when the catalogue does not have it or fails twice', async () => {
    playHub();
    const get = start({ ...catalogue(), ...hub() });
    const { found } = await get('eos4e40');
    expect(found).toMatchObject({ title: 'From the hub', biomedical_areas: ['Malaria', 'TB'] });
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /models.json',
      'GET /models.json',
      'POST /records',
      'POST /details/rec%202',
    ]);
    const { filterCriteria } = JSON.parse(asked[2]!.body);
    expect(JSON.stringify(filterCriteria)).toContain(
      '"subject":"Identifier","operator":"CONTAINS","value":"eos4e40"',
    );
    expect((await get('eos4e40', 'model-hub-details')).found).toEqual(found);
  });

  it('is 404 for a model that nobody has published, and where no catalogue is set', async () => {
    answers.set('/models.json', json(listed));
    answers.set('/records', json({ records: null }));
    const get = start({ ...catalogue(), ...hub() });
    for (const what of ['identification-details', 'ersilia-catalog-details', 'model-hub-details'] as const) {
      const { status, detail } = await get('eos0none', what);
      expect([status, detail]).toEqual([
        404,
        'Failed to get model identification details: the catalogue has no model with id [eos0none]',
      ]);
    }
    const bare = start({});
    expect((await bare('eos4e40')).detail).toContain('set ERSILIA_CATALOG_MODELS_URL');
  });

  it.each<[string, Answer, string, Partial<ApiSettings>?]>([
    ['an error', (_, to) => to.writeHead(500).end('stack trace'), 'answered with HTTP 500'],
    ['a redirect', (_, to) => to.writeHead(302, { location: '/secret' }).end(), 'answered with HTTP 302'],
    ['a page', (_, to) => to.end('<html>'), 'answered with something that is no JSON'],
    ['no list', json({ models: listed }), 'answered with something that is no list of models'],
    [
      'more than it may be',
      (_, to) => {
        const part = Buffer.alloc(1024 * 1024, ' ');
        const send = () => to.destroyed || to.write(part, send);
        send();
      },
      'answered with more than 8 MiB',
    ],
    ['a closed line', (_, to) => to.destroy(), 'can not be reached'],
    [
      'half an answer',
      (_, to) => void to.write('[{'),
      'did not answer in full within 1 s',
      { MODEL_CATALOG_TIMEOUT_SECONDS: 1 },
    ],
  ])(
    'is 503 in words, without an address, when the catalogue sends %s',
    async (_, answer, words, over = {}) => {
      answers.set('/models.json', answer);
      answers.set('/secret', json(listed));
      const get = start({ ...catalogue(), ...over });
      const refused = await get('eos4e40', 'ersilia-catalog-details');
      expect(refused.status).toBe(503);
      expect(refused.detail).toContain(`the address in ERSILIA_CATALOG_MODELS_URL ${words}`);
      expect(refused.detail).not.toContain('127.0.0.1:');
      expect(asked.map(({ path }) => path)).toEqual(['/models.json']);
    },
  );

  it('is asked again after a failure', async () => {
    const get = start(catalogue());
    expect((await get('eos4e40')).status).toBe(503);
    answers.set('/models.json', json(listed));
    expect((await get('eos4e40')).status).toBe(200);
  });

  it('is served to whoever has a session', async () => {
    answers.set('/models.json', json(listed));
    playHub();
    const api = await startApi({ ...catalogue(), ...hub() });
    try {
      const token = await api.guest();
      const titles = [];
      for (const what of ['identification-details', 'ersilia-catalog-details', 'model-hub-details']) {
        const answer = await api.call('GET', `/api/models/eos4e40/${what}`, { token });
        titles.push([answer.status, answer.json.title]);
      }
      expect(titles).toEqual([
        [200, 'Antibiotic activity'],
        [200, 'Antibiotic activity'],
        [200, 'From the hub'],
      ]);
      expect((await api.call('GET', '/api/models/eos0none/identification-details', { token })).status).toBe(
        404,
      );
    } finally {
      await api.stop();
    }
  });
});
