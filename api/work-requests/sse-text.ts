/** One message of an event stream. The data is JSON, which has no line ends of its own. */
export function sseMessage(event: string, id: number, data: unknown): string {
  return `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A comment that keeps proxies and clients from taking a quiet stream for a dead one. */
export const SSE_HEARTBEAT = ': still here\n\n';
