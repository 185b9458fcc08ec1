import { describe, expect, it } from '@jest/globals';
import { explainNodeFigures, nodeFigureGaps } from './node-figures.js';

describe('figures of nodes that are missing', () => {
  it('are explained by exactly one of the reasons there are', () => {
    const said = [null, ...nodeFigureGaps.map((gap) => ({ gap }))].map((look) => explainNodeFigures(look));
    expect(said.map((words) => words?.split(':')[0])).toEqual([
      'Not looked yet',
      'Not permitted',
      'No nodes',
      'Not permitted',
      'No metrics API',
      'Not measured',
    ]);
    expect(new Set(said).size).toBe(said.length);
  });

  it('need no explanation where none is missing', () => {
    expect(explainNodeFigures({ gap: null })).toBeNull();
  });
});
