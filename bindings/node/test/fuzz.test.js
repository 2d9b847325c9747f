// Whatever is passed, a call resolves or rejects with an error of ours, and nothing else is harmed.
//
// Each call begins with good options, of which some are replaced by hostile values. The same seed
// makes the same calls: CHROMA_TEST_SEED replays a failure.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { inspect } = require('node:util');

const { ChromaError } = require('..');
const native = require('../lib/native');
const { openClient, temporaryDirectory } = require('./support/databases');
const { Touched, hostileValue } = require('./support/hostile');
const { below, pick, seededRandom } = require('./support/random');

const SEED = Number(process.env.CHROMA_TEST_SEED ?? 1);
const CALL_COUNT = process.env.CHROMA_TEST_LONG ? 200_000 : 5_000;
const CALLS_AT_ONCE = 10;

const records = {
  ids: ['a', 'b'],
  embeddings: [[1, 2], [3, 4]],
  metadatas: [{ a: 1, tags: ['x'] }, null],
  documents: ['a', undefined],
  uris: ['u', null],
  signal: undefined,
};
const selection = { ids: ['a'], where: { a: 1 }, whereDocument: { $contains: 'a' } };

// Of each method the options that are good, and whose object has it.
const METHODS = [
  ['collection', 'add', records],
  ['collection', 'update', records],
  ['collection', 'upsert', records],
  ['collection', 'get', {
    ...selection, limit: 2, offset: 0, include: ['uris'], after: 'a', orderBy: 'a',
    descending: true, signal: undefined,
  }],
  ['collection', 'distinct', { ...selection, key: 'a', limit: 2, signal: undefined }],
  ['collection', 'query', {
    ...selection, queryEmbeddings: [[1, 2]], nResults: 1, include: ['uris'], exact: true,
    signal: undefined,
  }],
  ['collection', 'explain', {
    ...selection, queryEmbeddings: [[1, 2]], nResults: 1, exact: false, signal: undefined,
  }],
  ['collection', 'modify', {
    name: 'changed', metadata: { a: 1 }, configuration: { hnsw: { ef_search: 9 } },
    signal: undefined,
  }],
  ['collection', 'getIndexingStatus', { signal: undefined }],
  ['collection', 'delete', { ...selection, limit: 1, signal: undefined }],
  ['collection', 'count', {
    where: selection.where, whereDocument: selection.whereDocument, signal: undefined,
  }],
  ['collection', 'peek', { limit: 1, signal: undefined }],
  ['collection', 'flush', { signal: undefined }],
  ['collection', 'compact', { signal: undefined }],
  ['collection', 'statistics', { signal: undefined }],
  ['client', 'backup', { path: 'made', signal: undefined }],
  ['client', 'flush', { signal: undefined }],
  ['client', 'compact', { signal: undefined }],
  ['client', 'createCollection', {
    name: 'made', configuration: { hnsw: {} }, metadata: { a: 1 }, embeddingFunction: null,
  }],
  ['client', 'getOrCreateCollection', { name: 'made', metadata: { a: 1 } }],
  ['client', 'getCollection', { name: 'made' }],
  ['client', 'deleteCollection', { name: 'made' }],
  ['client', 'listCollections', { limit: 1, offset: 0 }],
];

/** Some of the good options, up to three of them hostile; or no options at all. */
function randomOptions(random, good) {
  if (below(random, 20) === 0) return hostileValue(random);
  const options = { ...good };
  const names = Object.keys(options);
  for (const name of names) {
    if (below(random, 5) === 0) delete options[name];
  }
  for (let count = below(random, 4); count > 0; count--) {
    options[pick(random, names)] = hostileValue(random);
  }
  return options;
}

function isExpected(error) {
  return error instanceof ChromaError || error instanceof TypeError || error instanceof Touched;
}

test(`hostile options harm nothing (seed ${SEED})`, async (t) => {
  const random = seededRandom(SEED);
  const client = openClient(t);
  const collection = await client.createCollection({ name: 'fuzzed' });
  const control = await client.createCollection({ name: 'control' });
  await collection.add(records);
  await control.add(records);
  const handleCount = native.liveHandleCount();

  const kinds = new Set();
  const call = async (number) => {
    const [owner, method, good] = pick(random, METHODS);
    const options = randomOptions(random, good);
    try {
      await { client, collection }[owner][method](options);
      kinds.add('resolved');
    } catch (error) {
      kinds.add(error?.constructor?.name);
      const shown = inspect(options, { depth: 4, maxArrayLength: 4, showProxy: true });
      assert.ok(isExpected(error), `call ${number}: ${method}(${shown}) threw ${error?.stack}`);
      assert.ok(error.message.length < 1000, `call ${number}: ${error.message.length} characters`);
    }
  };
  for (let number = 0; number < CALL_COUNT; number += CALLS_AT_ONCE) {
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, (_, index) => call(number + index)));
  }

  assert.equal(native.liveHandleCount(), handleCount);
  assert.deepEqual((await control.get({ include: ['embeddings'] })).embeddings, records.embeddings);
  assert.equal(typeof (await collection.count()), 'number');
  for (const kind of ['resolved', 'TypeError', 'ChromaValueError', 'InvalidArgumentError']) {
    assert.ok(kinds.has(kind), `no call was ${kind}`);
  }
});

// Arguments are paths here, too: they lead into a directory of the test's own.
test(`hostile arguments to the addon itself harm nothing (seed ${SEED})`, async (t) => {
  const random = seededRandom(SEED);
  process.chdir(temporaryDirectory(t));
  const engine = native.createEngine(null);
  t.after(() => native.close(0, engine));
  const names = Object.keys(native).filter((name) => name !== 'close');
  const handleCount = native.liveHandleCount();
  for (let number = 0; number < CALL_COUNT; number++) {
    const values = Array.from({ length: below(random, 13) }, () => hostileValue(random));
    if (below(random, 4) > 0) values[0] = 0;
    if (below(random, 4) > 0) values[1] = engine;
    const name = pick(random, names);
    try {
      await native[name](...values);
    } catch (error) {
      assert.ok(error instanceof Error, `call ${number}: ${name}(${inspect(values)})`);
    }
  }
  // The engine was opened by the first call that ran.
  assert.ok(native.liveHandleCount() <= handleCount + 1);
});
