// The index from Node: exact queries, explanations, settings, and how much is indexed.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const chroma = require('..');
const { openCollection, temporaryDirectory } = require('./support/databases');
const { idsUpTo, randomVectors, seededRandom } = require('./support/random');

const COUNT = 6000; // Enough for an index.
const DIMENSION = 16;

async function fill(collection, random) {
  const ids = idsUpTo(COUNT);
  const metadatas = ids.map((_, index) => ({ even: index % 2 === 0 }));
  const embeddings = randomVectors(random, COUNT, DIMENSION);
  await collection.add({ ids, embeddings, metadatas });
}

/** The share of the true neighbours that were found. */
function recall(found, truth) {
  const shared = truth.ids.map((ids, query) => ids.filter((id) => found.ids[query].includes(id)));
  return shared.flat().length / truth.ids.flat().length;
}

test('an index finds what a scan finds, and explains itself', async (t) => {
  const seed = 7;
  t.diagnostic(`seed ${seed}`);
  const random = seededRandom(seed);
  const collection = await openCollection(t, { configuration: { hnsw: { space: 'cosine' } } });
  await fill(collection, random);
  const queries = { queryEmbeddings: randomVectors(random, 20, DIMENSION), include: ['distances'] };
  const truth = await collection.query({ ...queries, exact: true });

  await collection.flush();
  const status = await collection.getIndexingStatus();
  assert.deepEqual(status, {
    num_indexed_ops: COUNT, num_unindexed_ops: 0, total_ops: COUNT, op_indexing_progress: 1,
  });
  const found = await collection.query(queries);
  assert.ok(recall(found, truth) >= 0.97);
  assert.deepEqual(await collection.query({ ...queries, exact: true }), truth);

  const { include, ...explained } = queries;
  const state = await collection.explain(explained);
  assert.ok(state.generation > 0 && state.version > 0);
  assert.deepEqual([state.position, state.indexedPosition], [COUNT, COUNT]);
  assert.deepEqual([state.recordCount, state.candidateCount], [COUNT, COUNT]);
  assert.deepEqual([state.unindexedCount, state.efSearch], [0, 100]);
  assert.equal(state.searches.length, 20);
  for (const search of state.searches) {
    assert.equal(search.scannedCount, 0);
    assert.ok(search.measuredCount > 0 && search.rerankedCount > 0);
  }
  const exact = await collection.explain({ ...explained, exact: true });
  for (const { strategy } of exact.searches) assert.match(strategy, /scan$/);
  const half = await collection.explain({ ...explained, where: { even: true } });
  assert.equal(half.candidateCount, COUNT / 2);
});

test('a changed ef_search holds for the next query, in every client', async (t) => {
  const directory = temporaryDirectory(t);
  const writer = chroma.PersistentClient({ path: directory, indexingThreads: 1 });
  const collection = await writer.createCollection({ name: 'notes', metadata: { a: 1 } });
  await collection.add({ ids: ['a', 'b'], embeddings: [[1, 0], [0, 1]] });
  const reader = chroma.PersistentClient({ path: directory, readOnly: true });
  const seen = await reader.getCollection({ name: 'notes' });
  const queries = { queryEmbeddings: [[1, 0]] };
  assert.equal((await seen.explain(queries)).efSearch, 100);
  await collection.modify({ configuration: { hnsw: { ef_search: 17 } } });
  assert.equal(collection.configuration.hnsw.ef_search, 17);
  assert.equal((await seen.explain(queries)).efSearch, 17);
  await collection.modify({ name: 'renamed', metadata: { b: 2 } });
  assert.deepEqual([collection.name, collection.metadata], ['renamed', { b: 2 }]);
  assert.deepEqual((await writer.getCollection({ name: 'renamed' })).metadata, { b: 2 });
  await reader.close();
  await writer.close();
});

test('a small collection is indexed as it is', async (t) => {
  const collection = await openCollection(t);
  const nothing = await collection.getIndexingStatus();
  assert.deepEqual([nothing.total_ops, nothing.op_indexing_progress], [0, 1]);
  await collection.add({ ids: ['a', 'b'], embeddings: [[1, 0], [0, 1]] });
  const few = await collection.getIndexingStatus();
  assert.deepEqual([few.num_indexed_ops, few.total_ops, few.op_indexing_progress], [2, 2, 1]);
  const state = await collection.explain({ queryEmbeddings: [[1, 0]] });
  assert.deepEqual([state.generation, state.recordCount], [0, 2]);
  assert.equal(state.searches[0].strategy, 'exact scan');
});

test('wrong options of an index are refused', async (t) => {
  const collection = await openCollection(t);
  const queryEmbeddings = [[1, 0]];
  await assert.rejects(collection.query({ queryEmbeddings, exact: 1 }), /'exact' to be a boolean/);
  await assert.rejects(collection.explain({ queryEmbeddings, include: [] }), /no option 'include'/);
  await assert.rejects(collection.query({}), /'queryEmbeddings' must be provided/);
  await assert.rejects(collection.modify(), TypeError);
  await assert.rejects(collection.modify({ name: 7 }), /'name' to be a string/);
  await assert.rejects(
    collection.modify({ configuration: { hnsw: { space: 'ip' } } }), chroma.InvalidArgumentError,
  );
  await assert.rejects(collection.getIndexingStatus({ limit: 1 }), /no option 'limit'/);
  assert.throws(
    () => chroma.EphemeralClient({ indexingThreads: -1 }), /indexingThreads must be a non-negative/,
  );
  const controller = new AbortController();
  controller.abort();
  const { signal } = controller;
  await assert.rejects(collection.explain({ queryEmbeddings, signal }), { name: 'AbortError' });
  await assert.rejects(collection.modify({ name: 'other', signal }), { name: 'AbortError' });
});
