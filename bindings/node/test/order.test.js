// Counts by filters, records in the order of a key, pages, the values under a key, from Node.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const chroma = require('..');
const { openCollection } = require('./support/databases');
const { below, pick, seededRandom } = require('./support/random');

const SEED = 3;

/** A collection of records whose values stand under `key`, and those by id. */
async function fill(collection, values) {
  const ids = values.map((_, index) => `id-${index}`);
  await collection.add({
    ids,
    embeddings: values.map((_, index) => [index, 1]),
    metadatas: values.map((key) => (key === undefined ? { other: 7 } : { key })),
  });
  return new Map(ids.map((id, index) => [id, values[index]]));
}

/** Negative, 0 or positive. Strings by their bytes, as Buffers compare. */
function compare(one, other) {
  const rank = (value) => ['boolean', 'number', 'string'].indexOf(typeof value);
  if (rank(one) !== rank(other)) return rank(one) - rank(other);
  if (typeof one === 'string') return Buffer.compare(Buffer.from(one), Buffer.from(other));
  return Number(one) - Number(other);
}

function ordered(records, sign = 1) {
  const entries = [...records];
  const has = ([, value]) => value !== undefined && !Array.isArray(value);
  const sorted = entries.filter(has).sort(([, one], [, other]) => sign * compare(one, other));
  return [...sorted, ...entries.filter((entry) => !has(entry))].map(([id]) => id);
}

function randomValue(random) {
  return pick(random, [
    () => undefined,
    () => below(random, 5),
    () => below(random, 5) + 0.5,
    () => below(random, 2) === 0,
    () => pick(random, ['', 'a', 'é', '😀', 'Z']),
    () => [below(random, 3), below(random, 3)],
  ])();
}

test(`records stand as a plain sort puts them (seed ${SEED})`, async (t) => {
  const random = seededRandom(SEED);
  const collection = await openCollection(t);
  const values = Array.from({ length: 300 }, () => randomValue(random));
  const records = await fill(collection, values);
  for (let round = 0; round < 2; round++) {
    for (const descending of [false, true]) {
      const wanted = ordered(records, descending ? -1 : 1);
      const options = { orderBy: 'key', descending, include: [] };
      assert.deepEqual((await collection.get(options)).ids, wanted);
      const ids = [];
      for (;;) {
        const page = await collection.get({ ...options, limit: 37, after: ids.at(-1) });
        if (page.ids.length === 0) break;
        ids.push(...page.ids);
      }
      assert.deepEqual(ids, wanted);
    }
    const after = await collection.get({ after: 'id-200', limit: 3, offset: 1, include: [] });
    assert.deepEqual(after.ids, ['id-202', 'id-203', 'id-204']);
    await collection.flush();
  }
});

test('the values under a key are counted', async (t) => {
  const collection = await openCollection(t);
  await fill(collection, [1.5, 2, [2, 2], 'b', 'a', true, undefined, 2n ** 60n, 'a']);
  const all = { values: [true, 1.5, 2, 2n ** 60n, 'a', 'b'], counts: [1, 1, 2, 1, 2, 1] };
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(await collection.distinct({ key: 'key' }), all);
    assert.deepEqual(
      await collection.distinct({ key: 'key', limit: 2 }), { values: [true, 1.5], counts: [1, 1] },
    );
    assert.deepEqual(
      await collection.distinct({ key: 'key', ids: ['id-3', 'id-4'], where: { key: 'a' } }),
      { values: ['a'], counts: [1] },
    );
    assert.deepEqual(await collection.distinct({ key: 'absent' }), { values: [], counts: [] });
    await collection.compact();
  }
});

test('a count is of what the filters match', async (t) => {
  const collection = await openCollection(t);
  await collection.add({
    ids: ['a', 'b', 'c'],
    embeddings: [[1, 0], [0, 1], [1, 1]],
    documents: ['one fish', 'two fish', 'red'],
    metadatas: [{ n: 1 }, { n: 2 }, null],
  });
  assert.equal(await collection.count(), 3);
  assert.equal(await collection.count({ where: { n: { $gt: 0 } } }), 2);
  assert.equal(await collection.count({ whereDocument: { $contains: 'fish' } }), 2);
  assert.equal(
    await collection.count({ where: { n: 2 }, whereDocument: { $contains: 'fish' } }), 1,
  );
});

test('a selection is explained without a query', async (t) => {
  const collection = await openCollection(t);
  await fill(collection, [1, 2, 3]);
  const state = await collection.explain({ where: { key: { $gt: 1 } } });
  assert.deepEqual([state.recordCount, state.candidateCount, state.searches], [3, 2, []]);
  assert.equal(typeof state.filter, 'object');
  assert.ok(Object.keys(state.filter).every((name) => /^[a-z][A-Za-z]*$/.test(name)));
  assert.equal((await collection.explain({})).filter, null);
  const query = await collection.explain({ queryEmbeddings: [[1, 2]], ids: ['id-1'] });
  assert.deepEqual([query.candidateCount, query.searches.length], [1, 1]);
  assert.notEqual(query.filter, null);
});

test('wrong options of an order are refused', async (t) => {
  const collection = await openCollection(t);
  await fill(collection, [1]);
  await assert.rejects(collection.get({ after: 5 }), /'after' to be a string/);
  await assert.rejects(collection.get({ orderBy: null }), /'orderBy' to be a string/);
  await assert.rejects(collection.get({ orderBy: 'a', descending: 1 }), /'descending' to be a boo/);
  await assert.rejects(collection.get({ descending: true }), chroma.ChromaValueError);
  await assert.rejects(collection.get({ after: 'absent' }), chroma.ChromaNotFoundError);
  await assert.rejects(collection.distinct({}), /'key' to be a string/);
  await assert.rejects(collection.distinct({ key: 'a', limit: -1 }), /limit must be a non-negat/);
  await assert.rejects(collection.distinct({ key: 'a', where: {} }), /'?where'? to be a non-empty/);
  await assert.rejects(collection.count({ ids: ['a'] }), /no option 'ids'/);
  await assert.rejects(
    collection.count({ where: { a: { $foo: 1 } } }), chroma.InvalidArgumentError,
  );
  await assert.rejects(collection.explain({ where: { $a: 1 } }), chroma.InvalidArgumentError);
});
