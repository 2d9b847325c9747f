// Values that a program may pass by mistake, or in malice.
'use strict';

const { below, pick } = require('./random');

/** What hostile values throw when they are touched. */
class Touched extends Error {}

function touch() {
  throw new Touched('a hostile value was touched');
}

function detached() {
  const array = new Float32Array(4);
  structuredClone(array, { transfer: [array.buffer] });
  return array;
}

function containingItself() {
  const object = { a: 1 };
  object.$and = [object, { b: object }];
  return object;
}

const HOSTILE = [
  () => undefined,
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 1.5,
  () => NaN,
  () => Infinity,
  () => 2 ** 32,
  () => Number.MAX_SAFE_INTEGER,
  () => 2 ** 64,
  () => 0n,
  () => -(2n ** 63n),
  () => 2n ** 64n,
  () => '',
  () => 'a',
  () => 'a\0b',
  () => '\ud83d',
  () => 'é'.repeat(300),
  () => Symbol('s'),
  () => () => 1,
  () => [],
  () => [undefined],
  () => ['a', 'b'],
  () => ['a', 'a'],
  () => ['a', 7],
  () => new Array(2 ** 32 - 1),
  () => Object.assign(new Array(2 ** 31), ['a']),
  () => [[1, 2]],
  () => [[1, 2], [3]],
  () => [[[1]]],
  () => [Float32Array.of(1, 2)],
  () => [new Float32Array(new SharedArrayBuffer(8))],
  () => [detached(), detached()],
  () => Float32Array.of(1, 2),
  () => ({ data: Float32Array.of(1, 2), dimension: 2 }),
  () => ({ data: Float32Array.of(1, 2), dimension: 2 ** 40 }),
  () => ({ data: detached(), dimension: 2 }),
  () => ({ dimension: 1 }),
  () => new BigInt64Array(2),
  () => new DataView(new ArrayBuffer(8)),
  () => new ArrayBuffer(8),
  () => ({}),
  () => ({ a: 1 }),
  () => ({ a: { $gt: 0 } }),
  () => ({ $and: [{ a: 1 }] }),
  () => ({ $contains: 'a' }),
  () => ({ hnsw: { space: 'ip' } }),
  () => JSON.parse('{"__proto__": 1, "": 2}'),
  () => Object.create(null),
  () => Object.defineProperty({}, 'a', { get: touch, enumerable: true }),
  () => Object.defineProperty(['a'], '0', { get: touch }),
  () => new Proxy({}, { ownKeys: touch, get: touch, has: touch, getPrototypeOf: touch }),
  () => new Proxy([], {}),
  () => Proxy.revocable({}, {}).proxy,
  containingItself,
  () => new Date(NaN),
  () => new Map([['a', 1]]),
  () => new AbortController().signal,
  () => AbortSignal.abort(new Touched('aborted')),
  () => ({ aborted: false, addEventListener: touch, removeEventListener: touch }),
  () => Promise.resolve(1),
  () => /a/,
];

/** One of the values, or a few of them in an array or an object. */
function hostileValue(random) {
  const shape = below(random, 10);
  if (shape === 0) return Array.from({ length: 3 }, () => pick(random, HOSTILE)());
  if (shape === 1) return { a: pick(random, HOSTILE)(), b: pick(random, HOSTILE)() };
  return pick(random, HOSTILE)();
}

module.exports = { Touched, hostileValue };
