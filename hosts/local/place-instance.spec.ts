import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { placeInstance, type VirtualNode } from './place-instance.js';

const node = (name: string, cpu: number, memory: number): VirtualNode => ({
  name,
  allocatableCpuMillicores: 1000,
  allocatableMemoryBytes: 1000,
  requestedCpuMillicores: cpu,
  requestedMemoryBytes: memory,
});
const place = (cpu: number, memory: number, nodes: VirtualNode[]) =>
  placeInstance({ cpuRequestMillicores: cpu, memoryRequestBytes: memory }, nodes);

describe('placeInstance', () => {
  it.each([
    [
      'fills the first node before the second',
      place(1, 1, [node('a', 500, 500), node('b', 0, 0)]),
      { node: 'a' },
    ],
    ['takes exactly what is left', place(500, 500, [node('a', 500, 500)]), { node: 'a' }],
    [
      'passes over a node that is short of memory',
      place(1, 600, [node('a', 0, 500), node('b', 0, 0)]),
      { node: 'b' },
    ],
    [
      'names each shortage with its number of nodes',
      place(900, 900, [node('a', 500, 500), node('b', 500, 0)]),
      { because: '0/2 nodes are available: 2 Insufficient cpu, 1 Insufficient memory.' },
    ],
    [
      'names only the shortage there is',
      place(0, 2000, [node('a', 0, 0)]),
      { because: '0/1 nodes are available: 1 Insufficient memory.' },
    ],
  ])('%s', (_sentence, placement, expected) => {
    expect(placement).toEqual(expected);
  });

  it('never gives a node more than it can allocate, and refuses only when no node has room', () => {
    const requests = fc.array(fc.record({ cpu: fc.nat(1500), memory: fc.nat(1500) }), { maxLength: 40 });
    fc.assert(
      fc.property(requests, fc.integer({ min: 1, max: 5 }), (wanted, count) => {
        let nodes = Array.from({ length: count }, (_, index) => node(`n${index}`, 0, 0));
        for (const { cpu, memory } of wanted) {
          const placement = place(cpu, memory, nodes);
          const hasRoom = (one: VirtualNode) =>
            one.requestedCpuMillicores + cpu <= 1000 && one.requestedMemoryBytes + memory <= 1000;
          expect('node' in placement).toBe(nodes.some(hasRoom));
          if ('because' in placement) continue;
          expect(placement.node).toBe(nodes.find(hasRoom)?.name);
          nodes = nodes.map((one) =>
            one.name === placement.node
              ? node(one.name, one.requestedCpuMillicores + cpu, one.requestedMemoryBytes + memory)
              : one,
          );
        }
      }),
    );
  });
});
