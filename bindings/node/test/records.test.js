// Records come back as they were written, and are found by nearness, ids and filters.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { openCollection } = require('./support/databases');

const THREE = {
  ids: ['a', 'b', 'c'],
  embeddings: [[0, 0], [1, 0], [3, 0.5]],
  documents: ['eins', undefined, 'drei 😀'],
  metadatas: [{ year: 2024, kind: 'x' }, null, { year: 2026, tags: ['p', 'q'] }],
  uris: [null, 'file:b', ''],
};

test('records come back as they were added', async (t) => {
  const collection = await openCollection(t);
  await collection.add(THREE);
  assert.equal(await collection.count(), 3);
  const include = ['documents', 'embeddings', 'metadatas', 'uris'];
  const result = await collection.get({ include });
  assert.deepEqual(
    { ...result },
    {
      ids: ['a', 'b', 'c'],
      documents: ['eins', null, 'drei 😀'],
      embeddings: THREE.embeddings,
      metadatas: [{ year: 2024, kind: 'x' }, {}, { year: 2026, tags: ['p', 'q'] }],
      uris: [null, 'file:b', ''],
      include,
    },
  );
});

test('a query finds the nearest of each vector, nearest first', async (t) => {
  const collection = await openCollection(t);
  await collection.add(THREE);
  const result = await collection.query({ queryEmbeddings: [[0.9, 0], [3, 0]], nResults: 2 });
  assert.deepEqual(result.ids, [['b', 'a'], ['c', 'b']]);
  assert.ok(Math.abs(result.distances[0][0] - 0.01) < 1e-6);
  assert.deepEqual(result.distances[1], [0.25, 4]);
  assert.deepEqual(result.documents, [[null, 'eins'], ['drei 😀', null]]);
});
