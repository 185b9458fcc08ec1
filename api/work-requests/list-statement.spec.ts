import { expect, it } from '@jest/globals';
import { listStatement } from './list-statement.js';
import { WorkRequestFilter } from './work-requests.dto.js';

const guest = { userId: 'guest', kind: 'guest', permissions: [] } as unknown as Parameters<
  typeof listStatement
>[1];

it('a page of the list reads nothing long that it does not show: two thousand names of columns for each request', () => {
  const { text } = listStatement(WorkRequestFilter.parse({}), guest);
  expect(text).not.toMatch(/result_columns|column_names|verdict/);
});
