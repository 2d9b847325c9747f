// Additions that say what becomes of records that exist, and queries with a bound on the distance.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { ChromaUniqueError, ChromaValueError } = require('..');
const { openCollection } = require('./support/databases');

const EVERYTHING = ['documents', 'embeddings', 'metadatas', 'uris'];

async function openTwo(t) {
  const collection = await openCollection(t);
  await collection.add({
    ids: ['a', 'b'],
    embeddings: [[0, 0], [3, 4]],
    documents: ['A', 'B'],
    metadatas: [{ n: 1 }, { n: 2 }],
    uris: ['u', 'v'],
  });
  return collection;
}

test('an addition says nothing unless it is asked about conflicts', async (t) => {
  const collection = await openTwo(t);
  assert.equal(await collection.add({ ids: ['a', 'c'], embeddings: [[9, 9], [1, 1]] }), undefined);
  assert.deepEqual((await collection.get()).ids, ['a', 'b', 'c']);
  assert.deepEqual((await collection.get({ ids: ['a'] })).documents, ['A']);
});

test('what exists is ignored and counted', async (t) => {
  const collection = await openTwo(t);
  const records = { ids: ['a', 'c'], embeddings: [[9, 9], [1, 1]], onConflict: 'ignore' };
  assert.deepEqual(await collection.add(records), { added: 1, skipped: 1, replaced: 0 });
  assert.deepEqual(await collection.add(records), { added: 0, skipped: 2, replaced: 0 });
  assert.deepEqual((await collection.get({ ids: ['a'] })).documents, ['A']);
});

test('what exists is an error that names it, and nothing is stored', async (t) => {
  const collection = await openTwo(t);
  const records = { ids: ['c', 'a'], embeddings: [[9, 9], [1, 1]], onConflict: 'error' };
  await assert.rejects(collection.add(records), (error) => {
    assert(error instanceof ChromaUniqueError);
    assert.equal(error.code, 'CHROMA_ERROR_ALREADY_EXISTS');
    assert.match(error.message, /^1 of the 2 ids exist already: "a"\. Nothing was added\. /);
    return true;
  });
  assert.equal(await collection.count(), 2);
});

test('what exists is replaced by exactly what is given, at its place', async (t) => {
  const collection = await openTwo(t);
  const counts = await collection.add({
    ids: ['c', 'a'], embeddings: [[9, 9], [1, 1]], onConflict: 'replace',
  });
  assert.deepEqual(counts, { added: 1, skipped: 0, replaced: 1 });
  assert.deepEqual({ ...(await collection.get({ include: EVERYTHING })) }, {
    ids: ['a', 'b', 'c'],
    documents: [null, 'B', null],
    embeddings: [[1, 1], [3, 4], [9, 9]],
    metadatas: [null, { n: 2 }, null],
    uris: [null, 'v', null],
    include: EVERYTHING,
  });
});

test('what is no policy, or of another call, is refused', async (t) => {
  const collection = await openTwo(t);
  const records = { ids: ['c'], embeddings: [[9, 9]] };
  for (const onConflict of ['Replace', '', 1, null, true]) {
    await assert.rejects(
      collection.add({ ...records, onConflict }),
      (error) => error instanceof ChromaValueError && /one of ignore, error, replace/.test(error),
    );
  }
  for (const method of ['update', 'upsert']) {
    await assert.rejects(
      collection[method]({ ...records, onConflict: 'ignore' }), /has no option 'onConflict'/,
    );
  }
  assert.equal(await collection.count(), 2);
});

test('records farther than the bound are left out, one exactly as far stays', async (t) => {
  const collection = await openTwo(t);
  const query = { queryEmbeddings: [[0, 0], [100, 0]] };
  for (const [maxDistance, ids] of [
    [25, ['a', 'b']], [24.9, ['a']], [0, ['a']], [-1, []], [-Infinity, []],
    [Infinity, ['a', 'b']],
  ]) {
    const found = await collection.query({ ...query, maxDistance });
    assert.deepEqual(found.ids[0], ids);
    assert.deepEqual(found.documents[0], ids.map((id) => id.toUpperCase()));
    assert.equal(found.distances[0].length, ids.length);
    assert.equal(found.ids[1].length, maxDistance === Infinity ? 2 : 0);
  }
});

test('a bound that is no number is refused', async (t) => {
  const collection = await openTwo(t);
  for (const maxDistance of [NaN, '1', null, 1n, true]) {
    await assert.rejects(
      collection.query({ queryEmbeddings: [[0, 0]], maxDistance }),
      (error) =>
        error instanceof ChromaValueError && /Expected 'maxDistance' to be a number/.test(error),
    );
  }
});
