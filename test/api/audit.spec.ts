import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { recordAudit } from '../../db/queries/audit.js';
import { describeWith } from '../support/require-part.js';
import { startApi, type RunningApi } from '../support/running-api.js';

describeWith('postgres')('who did what', () => {
  let api: RunningApi;
  let admin: Awaited<ReturnType<RunningApi['user']>>;
  beforeAll(async () => {
    api = await startApi();
    admin = await api.user({ admin: true });
  });
  afterAll(() => api.stop());

  const record = (subjectId: string, over: { action?: string; actorUserId?: string; reason?: string } = {}) =>
    recordAudit(api.parts.database, {
      actorUserId: admin.userId,
      action: 'instance.stop',
      subjectType: 'instance',
      subjectId,
      ...over,
    });
  const list = (query = '', token = admin.token) => api.call('GET', `/api/audit?${query}`, { token });

  it('is read by admins, newest first, with name, reason and details', async () => {
    const subject = randomUUID();
    await record(subject, { reason: 'It hung.' });
    await record(subject, { action: 'instance.note', actorUserId: 'long-gone' });
    const { json } = await list(`subject_type=instance&subject_id=${subject}`);
    expect(json.next_cursor).toBeNull();
    expect(json.items).toMatchObject([
      { action: 'instance.note', actor_user_id: 'long-gone', actor_username: null, reason: null },
      {
        action: 'instance.stop',
        actor_user_id: admin.userId,
        actor_username: admin.username,
        subject_type: 'instance',
        subject_id: subject,
        reason: 'It hung.',
        details: {},
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      },
    ]);
  });

  it('is found by what was done and by who did it', async () => {
    const actor = randomUUID();
    await record('one', { actorUserId: actor });
    await record('two', { actorUserId: actor, action: 'model.update' });
    const subjects = async (query: string) =>
      (await list(query)).json.items.map(({ subject_id }: { subject_id: string }) => subject_id);
    expect(await subjects(`actor_user_id=${actor}`)).toEqual(['two', 'one']);
    expect(await subjects(`actor_user_id=${actor}&action=model.update`)).toEqual(['two']);
    expect(await subjects(`actor_user_id=${actor}&action=`)).toEqual(['two', 'one']);
  });

  it('is turned page by page, each deed once, also while others are done', async () => {
    const actor = randomUUID();
    for (let number = 0; number < 7; number += 1) await record(`s${number}`, { actorUserId: actor });
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { json } = await list(`actor_user_id=${actor}&limit=3${cursor && `&cursor=${cursor}`}`);
      seen.push(...json.items.map(({ subject_id }: { subject_id: string }) => subject_id));
      cursor = json.next_cursor;
      await record('later', { actorUserId: actor });
    }
    expect(seen).toEqual(['s6', 's5', 's4', 's3', 's2', 's1', 's0']);
  });

  it('is nobody else’s to read, and asked for in vain with a cursor of one’s own', async () => {
    for (const token of [await api.guest(), (await api.user()).token])
      expect((await list('', token)).status).toBe(403);
    const wrong = await list('cursor=1');
    expect([wrong.status, wrong.json.detail[0].loc]).toEqual([422, ['query', 'cursor']]);
  });
});
