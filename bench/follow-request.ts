import { readEventStream } from '../local/read-event-stream.js';
import type { HubClient } from '../test/support/hub-client.js';
import type { ClientTimes } from './request-phases.js';
import { ENTRIES, MODEL, type WarmHub } from './warm-hub.js';

const epochNow = () => performance.timeOrigin + performance.now();

/**
 * What a good client does: submits, listens to the events until the end, reads the result as CSV.
 * @throws Error when the result is not the expected one
 */
export async function followRequest({ client, expected }: WarmHub): Promise<ClientTimes> {
  const sentAt = epochNow();
  const { id } = await client.submitEntries(MODEL, ENTRIES, false);
  const answeredAt = epochNow();
  await untilTold(client, id);
  const toldAt = epochNow();
  const text = await (await client.download(id)).text();
  const readAt = epochNow();
  if (text !== expected) throw new Error(`request ${id} has another result:\n${text}`);
  return { id, sentAt, answeredAt, toldAt, readAt };
}

async function untilTold(client: HubClient, id: number): Promise<void> {
  const closed = new AbortController();
  const response = await client.fetch(`/api/work-requests/${id}/events`, { signal: closed.signal });
  const text = response.body!.pipeThrough(new TextDecoderStream());
  for await (const { event, data } of readEventStream(text)) {
    const status =
      event === 'snapshot' ? (JSON.parse(data) as { request_status: string }).request_status : event;
    if (status.toUpperCase() === 'COMPLETED') break;
    if (['FAILED', 'CANCELLED'].includes(status.toUpperCase())) throw new Error(`request ${id} is ${status}`);
  }
  closed.abort();
}
