// Vectors are taken in every shape that holds numbers, and copied before a call returns.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { ChromaValueError, InvalidArgumentError } = require('..');
const { openCollection } = require('./support/databases');

/** What the collection holds of the vectors. */
async function stored(t, embeddings, count = 2) {
  const collection = await openCollection(t);
  const ids = Array.from({ length: count }, (_, index) => String(index));
  await collection.add({ ids, embeddings });
  return (await collection.get({ include: ['embeddings'] })).embeddings;
}

test('rows of numbers, typed rows and one flat array are the same', async (t) => {
  const rows = [[1, 2.5, -3], [4, 5, 6]];
  const flat = Float32Array.from(rows.flat());
  const shared = new Float32Array(new SharedArrayBuffer(24));
  shared.set(flat);
  const shapes = [
    rows,
    rows.map((row) => Float32Array.from(row)),
    rows.map((row) => Float64Array.from(row)),
    [rows[0], Float32Array.from(rows[1])],
    { data: flat, dimension: 3 },
    { data: new Float32Array([9, ...flat, 9]).subarray(1, 7), dimension: 3 },
    { data: shared, dimension: 3 },
    [shared.subarray(0, 3), shared.subarray(3)],
  ];
  for (const shape of shapes) assert.deepEqual(await stored(t, shape), rows);
});

test('what happens to an array after the call changes nothing', async (t) => {
  const collection = await openCollection(t);
  const data = Float32Array.of(1, 2, 3, 4);
  const row = [5, 6];
  const added = [
    collection.add({ ids: ['a', 'b'], embeddings: { data, dimension: 2 } }),
    collection.add({ ids: ['c'], embeddings: [row] }),
  ];
  data.fill(NaN);
  row.length = 0;
  structuredClone(data, { transfer: [data.buffer] });
  await Promise.all(added);
  const found = await collection.get({ ids: ['a', 'b', 'c'], include: ['embeddings'] });
  assert.deepEqual(found.rows().map(({ id, embedding }) => [id, embedding]).sort(),
    [['a', [1, 2]], ['b', [3, 4]], ['c', [5, 6]]]);

  const query = Float32Array.of(5, 6);
  const near = collection.query({ queryEmbeddings: [query], nResults: 1 });
  query.fill(1);
  assert.deepEqual((await near).ids, [['c']]);
});

test('a detached array holds no numbers', async (t) => {
  const data = new Float32Array(4);
  structuredClone(data, { transfer: [data.buffer] });
  await assert.rejects(stored(t, { data, dimension: 2 }), {
    constructor: ChromaValueError, message: /rows of 2 numbers, but got 0 numbers/,
  });
  await assert.rejects(stored(t, [data, data]), {
    constructor: ChromaValueError, message: /got an empty array at index 0/,
  });
});

test('an array over a buffer that shrank is read as far as it goes', async (t) => {
  const buffer = new ArrayBuffer(16, { maxByteLength: 32 });
  const data = new Float32Array(buffer);
  buffer.resize?.(8);
  const count = data.length / 2;
  assert.equal((await stored(t, { data, dimension: 2 }, count)).length, count);
});

test('what is no vector is refused', async (t) => {
  const wrong = [
    [null, /'embeddings' to be an array, or \{data: Float32Array, dimension\}, but got null/],
    ['abc', /but got string/],
    [7, /but got number/],
    [Float32Array.of(1, 2), /but got object/],
    [[], /array with at least one item/],
    [[[1], []], /got an empty array at index 1/],
    [[[], [1]], /got an empty array at index 0/],
    [[1, 2], /array of numbers, but got number at index 0/],
    [[[1, 2], null], /array of numbers, but got null at index 1/],
    [[[1, '2'], [3, 4]], /got string at index 0, element 1/],
    [[[1, 2], [3, 4n]], /got bigint at index 1, element 1/],
    [[[1, 2], [, 4]], /got undefined at index 1, element 0/],
    [[[[1]], [[2]]], /got array at index 0, element 0/],
    [[new Int8Array(2), new Int8Array(2)], /array of numbers, but got object at index 0/],
    [[new DataView(new ArrayBuffer(8))], /array of numbers, but got object at index 0/],
    [[new BigInt64Array(2)], /array of numbers, but got object at index 0/],
    [Object.assign(new Array(2 ** 32 - 1), [[1]]), /but got undefined at index 1/],
    [{ data: [1, 2], dimension: 1 }, /data of 'embeddings' to be a Float32Array, but got array/],
    [{ data: Float32Array.of(1, 2), dimension: 0 }, /dimension .* to be a positive integer/],
    [{ data: Float32Array.of(1, 2), dimension: '2' }, /dimension .* to be a positive integer/],
    [{ data: Float32Array.of(1, 2, 3), dimension: 2 }, /rows of 2 numbers, but got 3 numbers/],
    [{ data: Float32Array.of(1), dimension: 2 ** 53 - 1 }, /but got 1 numbers/],
    [{ data: Float32Array.of(1, 2, 3), dimension: 1 }, /lengths for fields ids, embeddings$/],
  ];
  for (const [embeddings, message] of wrong) {
    await assert.rejects(stored(t, embeddings), (error) => {
      assert.equal(error.constructor, ChromaValueError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

test('what is no vector of the collection is refused by the engine', async (t) => {
  const wrong = [
    [[[1, 2], [1]], /^Inconsistent dimensions in provided embeddings$/],
    [[[1, NaN], [1, 2]], /must not contain NaN or Infinity values/],
    [[[1, 1e300], [1, 2]], /must not contain NaN or Infinity values/],
    [{ data: new Float32Array(2 * 1_048_577), dimension: 1_048_577 }, /1048576/],
  ];
  for (const [embeddings, message] of wrong) {
    await assert.rejects(stored(t, embeddings), { constructor: InvalidArgumentError, message });
  }
  const collection = await openCollection(t);
  await collection.add({ ids: ['a'], embeddings: [[1, 2, 3]] });
  await assert.rejects(collection.query({ queryEmbeddings: [[1, 2]] }), {
    constructor: InvalidArgumentError,
    message: 'Collection expecting embedding with dimension of 3, got 2',
  });
});
