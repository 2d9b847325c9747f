// Records come back as they were written, and are found by nearness, ids and filters.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { openCollection } = require('./support/databases');

const EVERYTHING = ['documents', 'embeddings', 'metadatas', 'uris'];

const THREE = {
  ids: ['a', 'b', 'c'],
  embeddings: [[0, 0], [1, 0], [3, 0.5]],
  documents: ['eins', undefined, 'drei 😀'],
  metadatas: [{ year: 2024, kind: 'x' }, null, { year: 2026, tags: ['p', 'q'] }],
  uris: [null, 'file:b', ''],
};

async function openThree(t) {
  const collection = await openCollection(t);
  await collection.add(THREE);
  return collection;
}

test('records come back as they were added, in the order of insertion', async (t) => {
  const collection = await openThree(t);
  assert.equal(await collection.count(), 3);
  assert.deepEqual({ ...(await collection.get({ include: EVERYTHING })) }, {
    ids: ['a', 'b', 'c'],
    documents: ['eins', null, 'drei 😀'],
    embeddings: THREE.embeddings,
    metadatas: [{ year: 2024, kind: 'x' }, {}, { year: 2026, tags: ['p', 'q'] }],
    uris: [null, 'file:b', ''],
    include: EVERYTHING,
  });
});

test('what is not included is empty', async (t) => {
  const collection = await openThree(t);
  const found = await collection.get();
  assert.deepEqual(found.include, ['documents', 'metadatas']);
  assert.deepEqual([found.embeddings, found.uris], [[], []]);
  assert.deepEqual({ ...(await collection.get({ include: [] })) }, {
    ids: ['a', 'b', 'c'], documents: [], embeddings: [], metadatas: [], uris: [], include: [],
  });
  const near = await collection.query({ queryEmbeddings: [[0, 0]], include: ['uris'] });
  assert.deepEqual({ ...near }, {
    ids: [['a', 'b', 'c']],
    distances: [],
    documents: [],
    embeddings: [],
    metadatas: [],
    uris: [[null, 'file:b', '']],
    include: ['uris'],
  });
});

test('rows are records as objects', async (t) => {
  const collection = await openThree(t);
  assert.deepEqual((await collection.get({ ids: ['a'] })).rows(), [
    {
      id: 'a',
      document: 'eins',
      embedding: undefined,
      metadata: { year: 2024, kind: 'x' },
      uri: undefined,
    },
  ]);
  const near = await collection.query({
    queryEmbeddings: [[3, 0.5]], nResults: 1, include: ['distances', 'embeddings'],
  });
  assert.deepEqual(near.rows(), [
    [
      {
        id: 'c',
        document: undefined,
        embedding: [3, 0.5],
        metadata: undefined,
        uri: undefined,
        distance: 0,
      },
    ],
  ]);
});

test('a query finds the nearest of each vector, nearest first', async (t) => {
  const collection = await openThree(t);
  const result = await collection.query({ queryEmbeddings: [[0.9, 0], [3, 0]], nResults: 2 });
  assert.deepEqual(result.ids, [['b', 'a'], ['c', 'b']]);
  assert.ok(Math.abs(result.distances[0][0] - 0.01) < 1e-6);
  assert.deepEqual(result.distances[1], [0.25, 4]);
  assert.deepEqual(result.documents, [[null, 'eins'], ['drei 😀', null]]);
  const none = await collection.query({ queryEmbeddings: [[0, 0]], nResults: 0 });
  assert.deepEqual(none.ids, [[]]);
});

test('an empty collection answers empty columns', async (t) => {
  const collection = await openCollection(t);
  assert.equal(await collection.count(), 0);
  assert.deepEqual((await collection.get({ include: EVERYTHING })).embeddings, []);
  const include = ['distances', 'embeddings'];
  const near = await collection.query({ queryEmbeddings: [[1], [2]], include });
  assert.deepEqual([near.ids, near.distances, near.embeddings], [[[], []], [[], []], [[], []]]);
});

test('filters, ids, limits and offsets select', async (t) => {
  const collection = await openThree(t);
  const idsOf = async (selection) => (await collection.get(selection)).ids;
  assert.deepEqual(await idsOf({ ids: ['c', 'a', 'z'] }), ['a', 'c']);
  assert.deepEqual(await idsOf({ limit: 1, offset: 1 }), ['b']);
  assert.deepEqual(await idsOf({ limit: 0 }), []);
  assert.deepEqual(await idsOf({ where: { year: { $gt: 2024 } } }), ['c']);
  assert.deepEqual(await idsOf({ where: { $or: [{ kind: 'x' }, { tags: { $contains: 'q' } }] } }),
    ['a', 'c']);
  assert.deepEqual(await idsOf({ whereDocument: { $regex: 'd.ei' } }), ['c']);
  assert.deepEqual(await idsOf({ where: { year: 2024 }, whereDocument: { $contains: '😀' } }), []);
  assert.deepEqual((await collection.peek({ limit: 2 })).ids, ['a', 'b']);
  const near = await collection.query({
    queryEmbeddings: [[0, 0]], ids: ['b', 'c'], where: { year: { $ne: 2026 } },
  });
  assert.deepEqual(near.ids, [['b']]);
});

test('update changes what is given, and ignores unknown ids', async (t) => {
  const collection = await openThree(t);
  await collection.update({
    ids: ['a', 'z'],
    embeddings: [[7, 8], [9, 9]],
    metadatas: [{ kind: null, year: 2025 }, { kind: 'z' }],
  });
  assert.deepEqual({ ...(await collection.get({ ids: ['a', 'z'], include: EVERYTHING })) }, {
    ids: ['a'],
    documents: ['eins'],
    embeddings: [[7, 8]],
    metadatas: [{ year: 2025 }],
    uris: [null],
    include: EVERYTHING,
  });
  await collection.update({ ids: ['b'], metadatas: [{ new: true }] });
  assert.deepEqual((await collection.get({ ids: ['b'] })).metadatas, [{ new: true }]);
});

test('upsert changes known records and inserts others; add leaves known ones', async (t) => {
  const collection = await openThree(t);
  await collection.upsert({ ids: ['a', 'd'], embeddings: [[5, 5], [6, 6]], documents: ['A', 'D'] });
  await collection.add({ ids: ['a', 'e'], embeddings: [[0, 1], [0, 2]], documents: ['?', 'E'] });
  const found = await collection.get({ include: EVERYTHING });
  assert.deepEqual(found.ids, ['a', 'b', 'c', 'd', 'e']);
  assert.deepEqual(found.documents, ['A', null, 'drei 😀', 'D', 'E']);
  assert.deepEqual(found.embeddings[0], [5, 5]);
});

test('delete says how many it deleted', async (t) => {
  const collection = await openThree(t);
  assert.deepEqual(await collection.delete({}), { deleted: 0 });
  assert.deepEqual(await collection.delete({ ids: ['a'] }), { deleted: 1 });
  assert.deepEqual(await collection.delete({ where: { year: { $gt: 0 } }, limit: 0 }),
    { deleted: 0 });
  assert.deepEqual(await collection.delete({ whereDocument: { $contains: 'drei' }, limit: 5 }),
    { deleted: 1 });
  assert.deepEqual((await collection.get()).ids, ['b']);
});

test('results are plain data, and can be cloned', async (t) => {
  const collection = await openThree(t);
  const found = await collection.get({ include: EVERYTHING });
  assert.deepEqual({ ...structuredClone({ ...found }) }, { ...found });
});

test('a write of ten thousand records is one call', async (t) => {
  const collection = await openCollection(t);
  const ids = Array.from({ length: 10_000 }, (_, index) => `id-${index}`);
  const data = Float32Array.from({ length: 40_000 }, (_, index) => index % 977);
  await collection.add({ ids, embeddings: { data, dimension: 4 }, documents: ids });
  const found = await collection.get({ include: ['documents', 'embeddings'] });
  assert.deepEqual(found.ids, ids);
  assert.deepEqual(found.documents, ids);
  assert.deepEqual(found.embeddings.flat(), [...data]);
});
